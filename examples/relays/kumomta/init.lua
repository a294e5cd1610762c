-- KumoMTA as the relay of a newsletter that `mailer` sends. docs/relays.md explains it; /opt/kumomta/etc/policy/init.lua
-- is where KumoMTA reads it. Change the names in CONFIG. Written for 2025.10.06 or newer (reports of bounces).

local kumo = require 'kumo'

local CONFIG = {
  -- The name that far hosts see, and that stands in Received and in reports.
  hostname = 'out.example.org',
  -- Who may send. Over a net that is not yours let nobody send without a password, over TLS: see `users`.
  relay_hosts = { '127.0.0.1', '::1' },
  users = {}, -- ['mailer'] = 'password': better read from a file that git does not know
  -- The domain of return_path in mailer.toml, and the listener of `mailer run` ([feedback.listen]).
  returns = 'returns.example.org',
  listener = { host = '127.0.0.1', port = 8024 },
  spool = '/var/spool/kumomta',
  logs = '/var/log/kumomta',
  -- Far domains that want few connections, or few messages. What is not named gets `usual`.
  usual = { connection_limit = 20, max_deliveries_per_connection = 100 },
  paths = {
    ['gentle.example.net'] = { connection_limit = 2 },
    ['slow.example.net'] = { connection_limit = 1, max_message_rate = '1/s' },
  },
}

kumo.on('init', function()
  kumo.define_spool { name = 'data', path = CONFIG.spool .. '/data' }
  kumo.define_spool { name = 'meta', path = CONFIG.spool .. '/meta' }
  kumo.configure_local_logs {
    log_dir = CONFIG.logs,
    max_segment_duration = '1 minute',
    -- mailer's own name for a message stands beside KumoMTA's.
    headers = { 'Message-ID' },
  }
  -- Reports about mails that could not be delivered, as messages to the return path: else they stand in the log alone.
  kumo.configure_log_disposition_hook {
    name = 'reports',
    per_record = {
      Any = { enable = false },
      Bounce = { enable = true },
      Expiration = { enable = true },
    },
  }
  kumo.start_esmtp_listener {
    listen = '127.0.0.1:25',
    hostname = CONFIG.hostname,
    relay_hosts = CONFIG.relay_hosts,
    max_message_size = 10 * 1024 * 1024,
    -- mailer keeps its connections for a whole mailing.
    max_messages_per_connection = 1000000,
    client_timeout = '5 minutes',
    -- A message is on the disk before its 250. X-KumoRef would only repeat what the return path says.
    deferred_spool = false,
    trace_headers = { received_header = true, supplemental_header = false },
  }
end)

-- Nothing is changed: mailer has signed it. No DKIM signer here, and no header is added, removed or repaired.
kumo.on('smtp_server_message_received', function(_msg)
end)

kumo.on('smtp_server_auth_plain', function(_authz, authc, password)
  return password ~= '' and CONFIG.users[authc] == password
end)

-- Who is in relay_hosts may send to everybody, and so may who has shown a password; nobody else may send at all.
kumo.on('get_listener_domain', function(_domain, _listener, meta)
  if meta:get_meta 'authz_id' then
    return kumo.make_listener_domain { relay_to = true }
  end
end)

-- How long it tries: three days for a newsletter, one for a report.
kumo.on('get_queue_config', function(domain, _tenant, _campaign, _routing_domain)
  if domain == CONFIG.returns then
    return kumo.make_queue_config {
      max_age = '1 day',
      retry_interval = '1 minute',
      protocol = { smtp = { mx_list = { { name = 'mailer', addr = CONFIG.listener.host } } } },
    }
  end
  return kumo.make_queue_config {
    max_age = '3 days',
    retry_interval = '5 minutes',
    max_retry_interval = '4 hours',
  }
end)

-- How fast: connections, messages a connection and a second, by the far domain.
kumo.on('get_egress_path_config', function(domain, _source, _site)
  -- TLS with whoever offers it, as Postfix's `may` has it: a certificate that nobody signed is better than none. Where a
  -- domain publishes MTA-STS or DANE, KumoMTA keeps to that by itself.
  local params = { enable_tls = 'OpportunisticInsecure', ehlo_domain = CONFIG.hostname }
  for name, value in pairs(CONFIG.usual) do
    params[name] = value
  end
  for name, value in pairs(CONFIG.paths[domain] or {}) do
    params[name] = value
  end
  if domain == CONFIG.returns then
    params.smtp_port = CONFIG.listener.port
    params.use_lmtp = true
    params.enable_tls = 'Disabled'
    params.prohibited_hosts = {} -- the listener is on this machine
  end
  return kumo.make_egress_path(params)
end)

kumo.on('log_disposition_reports', function(msg, record)
  if record.sender == '' then
    return -- a report about a report
  end
  local report = kumo.generate_rfc3464_message({
    include_original_message = 'HeadersOnly',
    enable_bounce = true,
    enable_expiration = true,
    reporting_mta = { mta_type = 'dns', name = CONFIG.hostname },
  }, msg, record)
  if report then
    local ok, problem = pcall(kumo.inject_message, report)
    if not ok then
      kumo.log_error('a report could not be sent: ', problem)
    end
  end
end)

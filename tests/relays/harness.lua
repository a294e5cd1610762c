-- Runs a policy of KumoMTA without KumoMTA: a module `kumo` that writes down what it is told. Prints one JSON object:
-- handlers (events), calls (what the policy asked for, in order) and results (what a few events give).
--   lua5.4 harness.lua INIT.LUA

local handlers, calls, order = {}, {}, {}
local injected, reported = {}, true

local function note(name)
  return function(params)
    calls[#calls + 1] = { name = name, params = params }
  end
end

local function made(kind)
  return function(params)
    return { kind = kind, params = params }
  end
end

-- A function that KumoMTA does not have must not be called: what is not named here is nil, and the policy falls.
package.preload['kumo'] = function()
  return {
    on = function(event, handler)
      assert(type(handler) == 'function', event)
      assert(handlers[event] == nil, event .. ' has two handlers')
      handlers[event] = handler
      order[#order + 1] = event
    end,
    start_esmtp_listener = note 'start_esmtp_listener',
    define_spool = note 'define_spool',
    configure_local_logs = note 'configure_local_logs',
    configure_log_disposition_hook = note 'configure_log_disposition_hook',
    make_listener_domain = made 'listener_domain',
    make_queue_config = made 'queue_config',
    make_egress_path = made 'egress_path',
    generate_rfc3464_message = function(params, _, record)
      note 'generate_rfc3464_message'(params)
      return reported and { to = record.sender } or nil
    end,
    inject_message = function(message)
      injected[#injected + 1] = message.to
      if message.to == 'full@returns.example.org' then
        error 'the spool is full'
      end
    end,
    log_error = note 'log_error',
  }
end

local function encoded(value)
  if type(value) == 'table' then
    local parts = {}
    if #value > 0 then
      for _, each in ipairs(value) do
        parts[#parts + 1] = encoded(each)
      end
      return '[' .. table.concat(parts, ',') .. ']'
    end
    for name, each in pairs(value) do
      parts[#parts + 1] = encoded(tostring(name)) .. ':' .. encoded(each)
    end
    return '{' .. table.concat(parts, ',') .. '}'
  elseif type(value) == 'string' then
    return '"' .. value:gsub('[%c"\\]', function(c)
      return ('\\u%04x'):format(c:byte())
    end) .. '"'
  elseif value == nil then
    return 'null'
  end
  return tostring(value)
end

local function meta(authz)
  return {
    get_meta = function(_, name)
      return name == 'authz_id' and authz or nil
    end,
  }
end

dofile(arg[1])
handlers.init()
local bounce = { type = 'Bounce', sender = 'bounces+abc@returns.example.org' }
local results = {
  stranger = encoded(handlers.get_listener_domain('far.example', '127.0.0.1:25', meta(nil))),
  known = handlers.get_listener_domain('far.example', '127.0.0.1:25', meta 'mailer'),
  login_without_password = handlers.smtp_server_auth_plain('', 'mailer', ''),
  login_of_nobody = handlers.smtp_server_auth_plain('', 'nobody', 'guess') or false,
  queue = handlers.get_queue_config('far.example', nil, nil, nil),
  queue_returns = handlers.get_queue_config('returns.example.org', nil, nil, nil),
  path = handlers.get_egress_path_config('far.example', 'unspecified', 'mx.far.example'),
  path_gentle = handlers.get_egress_path_config('gentle.example.net', 'unspecified', 'mx'),
  path_slow = handlers.get_egress_path_config('slow.example.net', 'unspecified', 'mx'),
  path_returns = handlers.get_egress_path_config('returns.example.org', 'unspecified', 'mx'),
}

-- A message that must not be touched: whatever is asked of it is a fault.
local message = setmetatable({}, {
  __index = function(_, name)
    error('the policy touches the message: ' .. name)
  end,
  __newindex = function(_, name)
    error('the policy changes the message: ' .. name)
  end,
})
handlers.smtp_server_message_received(message, meta(nil))
handlers.log_disposition_reports(message, bounce)
handlers.log_disposition_reports(message, { type = 'Bounce', sender = '' })
handlers.log_disposition_reports(message, { type = 'Bounce', sender = 'full@returns.example.org' })
reported = false
handlers.log_disposition_reports(message, bounce)

print(encoded { handlers = order, calls = calls, results = results, injected = injected })

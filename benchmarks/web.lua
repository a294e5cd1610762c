-- wrk posts one click for one reader after the other: the paths stand in the file that CLICKS names.
local paths, at = {}, 0
for line in io.lines(os.getenv("CLICKS")) do paths[#paths + 1] = line end
local thread_number = 0
function setup(thread)
  thread:set("start", thread_number * math.floor(#paths / 2))
  thread_number = thread_number + 1
end
function init() at = start or 0 end
request = function()
  at = at % #paths + 1
  return wrk.format("POST", paths[at], { ["Content-Type"] = "application/x-www-form-urlencoded" }, "List-Unsubscribe=One-Click")
end

-- What answers are counted as, in a script of wrk with one thread: `counted(summary)` is found, refused and failed.
local threads = {}
setup = function(thread) threads[#threads + 1] = thread end
init = function() good, busy, other = 0, 0, 0 end
response = function(status)
  if status == 200 then good = good + 1 elseif status == 429 then busy = busy + 1 else other = other + 1 end
end
function counted(summary)
  local thread, errors = threads[1], summary.errors
  local failed = thread:get("other") + errors.connect + errors.read + errors.write + errors.timeout
  return thread:get("good"), thread:get("busy"), failed
end

-- Draws on all buckets of a request or on none.
--
-- KEYS: the buckets, each holding "<used> <end of its window in ms>".
-- ARGV: the cost (0 or 1); the time in ms, or '' for the server's own, which all nodes share however their clocks differ;
--       then the limit and the window in ms of each bucket.
-- Returns: 1 or 0 for allowed, then what is used of each bucket and the ms that its window still takes.
local cost = tonumber(ARGV[1])
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local used, ends, allowed = {}, {}, 1
for at, key in ipairs(KEYS) do
  local limit = tonumber(ARGV[1 + 2 * at])
  used[at], ends[at] = 0, now + tonumber(ARGV[2 + 2 * at])
  local before, till = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
  if till and tonumber(till) > now then
    -- A clock that was set back does not make a window longer than it is.
    used[at], ends[at] = tonumber(before), math.min(tonumber(till), ends[at])
  end
  if used[at] >= limit then
    allowed = 0
  end
end

local reply = { allowed }
for at, key in ipairs(KEYS) do
  if allowed == 1 and cost > 0 then
    used[at] = used[at] + cost
    redis.call('SET', key, string.format('%d %.0f', used[at], ends[at]), 'PX', string.format('%.0f', ends[at] - now))
  end
  reply[2 * at] = used[at]
  reply[1 + 2 * at] = ends[at] - now
end
return reply

-- Makes the logs that do not exist, and lengthens the lives of all.
-- KEYS: logs. ARGV: ttl ms, a random number.
-- A log begins with an entry 'o'. The random number stands in its id, so that a log which is lost and made again within one
-- millisecond has no entry of the same id.
-- Returns the id of the last entry of each.
local now = redis.call('TIME')
local begin = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000)) .. '-' .. ARGV[2]
local ends = {}
for i = 1, #KEYS do
  local last = redis.call('XREVRANGE', KEYS[i], '+', '-', 'COUNT', 1)[1]
  if last then
    ends[i] = last[1]
  else
    redis.call('DEL', KEYS[i])  -- one without entries would know a last id that may be greater
    ends[i] = redis.call('XADD', KEYS[i], begin, 'o', '')
  end
  redis.call('PEXPIRE', KEYS[i], ARGV[1])
end
return ends

-- Puts a new stamp on subjects; without any it only says where the stamps stand.
-- KEYS: the log. ARGV: microseconds that a stamp is kept, subjects.
-- Answer: the log's beginning (0 where it does not exist), its newest stamp.
-- Stamps are microseconds of the server's clock, pushed on where that clock stands still or goes back: no two are the same, and
-- a later one is greater. The member 'begin' holds the time at which the log was made: one that was lost has another.
local now = redis.call('TIME')
local stamp = now[1] * 1000000 + now[2]
local newest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if newest[2] and stamp <= tonumber(newest[2]) then
  stamp = tonumber(newest[2]) + 1
end
local function text(number) return string.format('%.0f', number) end
if not newest[2] then
  redis.call('ZADD', KEYS[1], text(stamp), 'begin')
  newest = { 'begin', text(stamp) }
  stamp = stamp + 1
end
local begin = redis.call('ZSCORE', KEYS[1], 'begin')
if #ARGV > 1 then
  for i = 2, #ARGV do
    redis.call('ZADD', KEYS[1], text(stamp), ARGV[i])
  end
  newest[2] = text(stamp)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. begin, '(' .. text(stamp - ARGV[1]))
end
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[1] / 1000) + 60000)
return { begin, newest[2] }

-- Part of other scripts: adds an entry to the logs of those viewers who have one, and rings for these.
-- first: where the logs begin in KEYS. at: where in ARGV these stand: entry, length of a log, channel of the bell, ids of the
-- viewers in the order of the logs (8 bytes each; shorter for a log that is not a viewer's). Nothing is done without them.
local function tell_viewers(first, at)
  local entry, length, channel, ids = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  -- One look at all of them: mostly nobody among them is live.
  if not entry or redis.call('EXISTS', unpack(KEYS, first)) == 0 then
    return
  end
  local told = {}
  for i = first, #KEYS do
    if redis.call('XADD', KEYS[i], 'NOMKSTREAM', 'MAXLEN', '~', length, '*', 'e', entry) then
      told[#told + 1] = string.sub(ids, 8 * (i - first) + 1, 8 * (i - first) + 8)
    end
  end
  redis.call('PUBLISH', channel, table.concat(told))
end

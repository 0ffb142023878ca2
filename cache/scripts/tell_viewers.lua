-- Part of other scripts: adds an entry to the logs of those viewers who have one, and rings for these.
-- logs: their keys. at: where in ARGV these stand: entry, length of a log, channel of the bell, ids of the viewers in the order
-- of the logs (8 bytes each; shorter for a log that is not a viewer's).
local function tell_viewers(logs, at)
  local entry, length, channel, ids = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  -- One look at all of them: mostly nobody among them is live.
  if redis.call('EXISTS', unpack(logs)) == 0 then
    return
  end
  local told = {}
  for i = 1, #logs do
    if redis.call('XADD', logs[i], 'NOMKSTREAM', 'MAXLEN', '~', length, '*', 'e', entry) then
      told[#told + 1] = string.sub(ids, 8 * i - 7, 8 * i)
    end
  end
  redis.call('PUBLISH', channel, table.concat(told))
end

-- The same for the viewers of the timelines in KEYS, where ARGV[at] is there at all. A viewer's keys differ in their
-- first three characters alone. The logs are not among KEYS: that alone would take the caller longer than all that is done here.
local function tell_owners(at)
  if not ARGV[at] then
    return
  end
  local logs = {}
  for i = 1, #KEYS do
    logs[i] = 'ev:' .. string.sub(KEYS[i], 4)
  end
  tell_viewers(logs, at)
end

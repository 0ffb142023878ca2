-- What has been added to logs behind a place in each.
-- KEYS: logs. ARGV: most entries of a log, the place in each (with blanks between).
-- A place is the id of an entry, so a log in which it is not any more has lost something: it is gone, was made anew, or was cut.
-- Returns one text, a line for each log that has something to tell: its number, the id of the last entry told, the entries;
-- of a log that has lost something its number, the id of its last entry (0-0 without any) and '!'.
local size, lines, i = tonumber(ARGV[1]) + 1, {}, 0
for place in string.gmatch(ARGV[2], '%S+') do
  i = i + 1
  local found = redis.call('XRANGE', KEYS[i], place, '+', 'COUNT', size)
  local count = #found
  if count == 0 or found[1][1] ~= place then
    local last = redis.call('XREVRANGE', KEYS[i], '+', '-', 'COUNT', 1)[1]
    lines[#lines + 1] = i .. ' ' .. (last and last[1] or '0-0') .. ' !'
  elseif count > 1 then
    local line = i .. ' ' .. found[count][1]
    for n = 2, count do
      line = line .. ' ' .. found[n][2][2]
    end
    lines[#lines + 1] = line
  end
end
return table.concat(lines, '\n')

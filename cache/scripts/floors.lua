-- Part of other scripts: the newest floor of all cut slices of one kind, so that a newer post need not be compared with each.
-- Members are compared as the numbers they are: the smaller, the newer.
local function is_newer(a, b)
  return #a < #b or (#a == #b and a < b)
end

-- A slice is cut at this member from now on. key: of the newest floor. Where that is not known there may be others, up to now:
-- the clocks of the servers differ by less than a minute. 2^22 and 2^63 as in domain/ids.py; a double holds their multiples.
local function note_floor(key, member)
  local newest = redis.call('GET', key)
  if not newest then
    newest = string.format('%.0f', 2 ^ 63 - (redis.call('TIME')[1] + 60) * 1000 * 2 ^ 22)
    redis.call('SET', key, newest)
  end
  if is_newer(member, newest) then
    redis.call('SET', key, member)
  end
end

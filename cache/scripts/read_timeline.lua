-- One page of a timeline, and its marker.
-- KEYS: timeline. ARGV: member of the position (or '' for the newest end), size, ttl ms.
-- Returns {marker, is there anything below what is returned, members joined by commas} or an empty list for no timeline.
local key, place, size = KEYS[1], ARGV[1], tonumber(ARGV[2])

local function is_below(member)
  return #member > #place or (#member == #place and member > place)
end

local batch, from
if place == '' then
  batch, from = redis.call('ZRANGE', key, 0, size + 1), 2
else
  -- The set's order is the feed's, so the place is found by halving, whether or not the post itself is there.
  local low, high = 1, redis.call('ZCARD', key)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_below(redis.call('ZRANGE', key, middle, middle)[1]) then
      high = middle
    else
      low = middle + 1
    end
  end
  batch, from = redis.call('ZRANGE', key, low, low + size), 1
end
local marker = place == '' and batch[1] or redis.call('ZRANGE', key, 0, 0)[1]
if not marker then
  return {}
end
if string.sub(marker, 1, 1) == 'r' then
  redis.call('PEXPIRE', key, ARGV[3])  -- in use; a building mark keeps its own short life
end
local last = math.min(#batch, from + size - 1)
return {marker, #batch > last and 1 or 0, table.concat(batch, ',', from, last)}

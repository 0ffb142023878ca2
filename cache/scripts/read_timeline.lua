-- One page of a timeline, and its marker.
-- KEYS: timeline. ARGV: score to begin at (or -inf), first member that counts (or ''), size, ttl ms.
-- Members sort as the feed does, so entries that share the first score are passed over by comparing them.
-- Returns {marker, is there anything below what is returned, members...} or an empty list for no timeline.
local key = KEYS[1]
local marker = redis.call('ZRANGE', key, 0, 0)[1]
if not marker then
  return {}
end
if string.sub(marker, 1, 1) == 'r' then
  redis.call('PEXPIRE', key, ARGV[4])  -- in use; a building mark keeps its own short life
end
local begin, first, size = ARGV[1], ARGV[2], tonumber(ARGV[3])
local found = {marker, 0}
local offset = 0
while #found - 2 <= size do
  local batch = redis.call('ZRANGE', key, begin, '+inf', 'BYSCORE', 'LIMIT', offset, size + 1)
  for i = 1, #batch do
    if batch[i] ~= marker and (first == '' or #batch[i] > #first or (#batch[i] == #first and batch[i] > first)) then
      found[#found + 1] = batch[i]
    end
  end
  if #batch <= size then
    break
  end
  offset = offset + #batch
end
if #found - 2 > size then
  found[2] = 1
  for i = #found, size + 3, -1 do
    found[i] = nil
  end
end
return found

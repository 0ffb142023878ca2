-- Charges several budgets at once, all or none: the generic cell rate algorithm by the server's own clock.
-- KEYS: budgets. ARGV: for each key the microseconds of one unit, of the whole budget, and of this charge.
-- A key holds the instant (microseconds since 1970) at which its budget is full again; no key is a full budget.
-- Returns {0, microseconds until full of each} when charged, {microseconds to wait, number of the budget that waits longest} when
-- one of them does not suffice: then nothing is charged.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local stored = redis.call('MGET', unpack(KEYS))
local reply, wait, worst = {0}, 0, 0
for i = 1, #KEYS do
  local capacity, cost = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  -- Never fuller than full, and never emptier than empty: the clock may have been set back, or the budget made smaller.
  local used = math.min(math.max(0, (tonumber(stored[i] or '') or 0) - now), capacity) + cost
  if used - capacity > wait then
    wait, worst = used - capacity, i
  end
  reply[i + 1] = used
end
if worst > 0 then
  return {wait, worst}
end
for i = 1, #KEYS do
  redis.call('SET', KEYS[i], string.format('%.0f', now + reply[i + 1]), 'PX', math.ceil(reply[i + 1] / 1000))
end
return reply

-- Charges budgets for many operations in turn, each of them whole or not at all: the generic cell rate algorithm by the server's
-- own clock.
-- KEYS: the budgets of the first operation, of the second, and so on. ARGV: how many operations, how many budgets each has, then
-- for each key the microseconds of one unit's charge and of the whole budget.
-- A key holds the instant (microseconds since 1970) at which its budget is full again; no key is a full budget.
-- Returns for each operation {0, microseconds until full of each budget} when charged, {microseconds to wait, number of the budget
-- that waits longest} when one of them does not suffice: then nothing is charged.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local operations = tonumber(ARGV[1])
local replies, key = {}, 0
for operation = 1, operations do
  local size = tonumber(ARGV[1 + operation])
  local reply, wait, worst = {0}, 0, 0
  for i = 1, size do
    local place = 1 + operations + 2 * (key + i - 1)
    local cost, capacity = tonumber(ARGV[place + 1]), tonumber(ARGV[place + 2])
    local full_at = tonumber(redis.call('GET', KEYS[key + i]) or '') or 0
    -- Never fuller than full, and never emptier than empty: the clock may have been set back, or the budget made smaller.
    local used = math.min(math.max(0, full_at - now), capacity) + cost
    if used - capacity > wait then
      wait, worst = used - capacity, i
    end
    reply[i + 1] = used
  end
  if worst > 0 then
    reply = {wait, worst}
  else
    for i = 1, size do
      redis.call('SET', KEYS[key + i], string.format('%.0f', now + reply[i + 1]), 'PX', math.ceil(reply[i + 1] / 1000))
    end
  end
  replies[operation] = reply
  key = key + size
end
return replies

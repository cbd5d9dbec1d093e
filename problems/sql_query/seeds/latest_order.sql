-- For every customer with an order: the customer, their latest order (of the same day the one with the highest id),
-- and what it cost, by customer.
SELECT o.customer, o.id,
       (SELECT coalesce(sum(i.pieces * i.cents), 0) FROM items i WHERE i.order_id = o.id)
FROM orders o
WHERE NOT EXISTS (
    SELECT 1 FROM orders other
    WHERE other.customer = o.customer
      AND (other.placed > o.placed OR (other.placed = o.placed AND other.id > o.id)))
ORDER BY o.customer

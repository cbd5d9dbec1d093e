-- For every order that was paid or sent: the customer, the order, and what the customer's paid or sent orders had cost
-- up to and including it, by day and on the same day by id; sorted by customer, day and order.
SELECT o.customer, o.id,
       (SELECT coalesce(sum(i.pieces * i.cents), 0)
        FROM items i
        WHERE EXISTS (
            SELECT 1 FROM orders p
            WHERE p.id = i.order_id AND p.customer = o.customer AND p.state IN ('paid', 'sent')
              AND (p.placed < o.placed OR (p.placed = o.placed AND p.id <= o.id))))
FROM orders o
WHERE o.state = 'paid' OR o.state = 'sent'
ORDER BY o.customer, o.placed, o.id

-- Orders that cost more than the average of all orders of their customer's region, by order: order and cost.
SELECT o.id, (SELECT coalesce(sum(i.pieces * i.cents), 0) FROM items i WHERE i.order_id = o.id)
FROM orders o JOIN customers c ON c.id = o.customer
WHERE (SELECT coalesce(sum(i.pieces * i.cents), 0) FROM items i WHERE i.order_id = o.id)
      * (SELECT count(*) FROM orders p JOIN customers d ON d.id = p.customer WHERE d.region = c.region)
    > (SELECT coalesce(sum(i.pieces * i.cents), 0)
       FROM items i JOIN orders p ON p.id = i.order_id JOIN customers d ON d.id = p.customer
       WHERE d.region = c.region)
ORDER BY o.id

-- For every region with a sale: the product of which most pieces were sold there (of equal ones the lowest number), and
-- how many, by region.
SELECT DISTINCT c.region, i.product,
       (SELECT sum(j.pieces) FROM items j JOIN orders p ON p.id = j.order_id JOIN customers d ON d.id = p.customer
        WHERE d.region = c.region AND j.product = i.product)
FROM items i JOIN orders o ON o.id = i.order_id JOIN customers c ON c.id = o.customer
WHERE i.product = (
    SELECT j.product FROM items j JOIN orders p ON p.id = j.order_id JOIN customers d ON d.id = p.customer
    WHERE d.region = c.region GROUP BY j.product ORDER BY sum(j.pieces) DESC, j.product LIMIT 1)
ORDER BY c.region

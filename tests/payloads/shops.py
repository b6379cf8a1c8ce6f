"""Orders in the shapes of Segment, RudderStack, Shopify, WooCommerce and Stripe."""

from tests.payloads.shapes import BOTH, DAY, DAY_LINE, MEAL_LINE, Case, placed, track

# fmt: off
SHOPIFY_LINE = {"id": 4820011, "product_id": 631, "variant_id": 808, "title": "Day ticket", "name": "Day ticket - adult", "sku": "DAY-1", "price": "39.50", "quantity": 2, "vendor": "Park", "total_discount": "0.00", "taxable": True, "price_set": {"shop_money": {"amount": "39.50", "currency_code": "EUR"}}}
RUDDER_LINE = {"product_id": "631", "sku": "DAY-1", "title": "Day ticket - adult", "price": 39.5, "brand": "Park", "quantity": 2, "variant": "808 39.50 adult"}
WOO_LINE = {"id": 315, "name": "Day ticket", "product_id": 93, "variation_id": 0, "quantity": 2, "tax_class": "", "subtotal": "79.00", "total": "79.00", "total_tax": "0.00", "sku": "DAY-1", "price": 39.5, "meta_data": []}
STRIPE = {"object": "charge", "id": "ch_9", "amount": 12800, "currency": "eur", "livemode": True, "metadata": {"order_id": "NUMBER"}}

CASES = [
    Case("Segment v2", [placed(checkout_id="c-1", affiliation="Shop", total=128.0, subtotal=120.0, revenue=120.0, shipping=3, tax=5, discount=2.5, coupon="SUN", **BOTH)], ("placed", "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("Segment v1", [track("Completed Order", total=79, revenue=75, currency="EUR", products=[{"id": "day", "sku": "DAY-1", "name": "Day ticket", "price": 39.5, "quantity": 2, "category": "Tickets"}])], ("placed", "79.00", "EUR"), [("DAY-1", 2, "39.50")]),
    Case("Segment with orderId", [{**placed(), "properties": {"orderId": "NUMBER", **BOTH}}], ("placed", "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("name in small letters", [track("order completed", **BOTH)], ("placed", "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("name with underscores", [track("order_completed", **BOTH)], ("placed", "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("name as one word", [track("OrderCompleted", **BOTH)], ("placed", "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("name with dots", [placed(**BOTH), track("order.refunded", amount=28)], ("partly_refunded", "100.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("American cancellation", [placed(**BOTH), track("Order Canceled")], ("cancelled", "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("RudderStack for Shopify", [track("Order Created", value=79.0, tax=6.52, currency="EUR", products=[RUDDER_LINE])], ("placed", "79.00", "EUR"), [("631", 2, "39.50")]),
    Case("RudderStack for Shopify, updated after a refund", [track("Order Created", value=79.0, currency="EUR", products=[RUDDER_LINE]), track("Order Refunded", amount="39.50"), track("Order Updated", value=79.0, currency="EUR", products=[RUDDER_LINE])], ("partly_refunded", "39.50", "EUR"), [("631", 2, "39.50")]),
    Case("RudderStack for Shopify, cancelled", [track("Order Created", value=79.0, currency="EUR", products=[RUDDER_LINE]), track("Order Cancelled", value=79.0, cancel_reason="customer")], ("cancelled", "79.00", "EUR"), [("631", 2, "39.50")]),
    Case("Shopify's own order", [placed(id=5, name="#1001", total_price="79.00", subtotal_price="72.48", currency="EUR", financial_status="paid", line_items=[SHOPIFY_LINE])], ("placed", "79.00", "EUR"), [("631", 2, "39.50")]),
    Case("Shopify's own refund", [placed(total_price="79.00", currency="EUR", line_items=[SHOPIFY_LINE]), track("Order Refunded", id=509, note="ill", refund_line_items=[{"id": 104, "line_item_id": 4820011, "quantity": 1, "subtotal": 39.5, "total_tax": 0.0}])], ("partly_refunded", "39.50", "EUR"), [("631", 1, "39.50")]),
    Case("WooCommerce's own order", [placed(number="4750", status="processing", currency="EUR", total="79.00", total_tax="0.00", prices_include_tax=True, date_created="2026-11-21T12:00:00", line_items=[WOO_LINE])], ("placed", "79.00", "EUR"), [("93", 2, "39.50")]),
    Case("WooCommerce in pesos", [placed(currency="CLP", total="7900", line_items=[WOO_LINE | {"price": 3950, "subtotal": "7900", "total": "7900"}])], ("placed", "7900", "CLP"), [("93", 2, "3950")]),
    Case("WooCommerce's own refund", [placed(currency="EUR", total="79.00", line_items=[WOO_LINE]), track("Order Refunded", amount="39.50", reason="ill", line_items=[{"id": 316, "product_id": 93, "quantity": -1, "subtotal": "-39.50", "total": "-39.50"}])], ("partly_refunded", "39.50", "EUR"), [("93", 1, "39.50")]),
    Case("Stripe's refunded charge", [placed(**BOTH), {**track("charge.refunded"), "properties": STRIPE | {"amount_refunded": 2800, "refunded": False}}], ("partly_refunded", "100.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("Stripe's second refund of a charge", [placed(**BOTH), *({**track("charge.refunded"), "properties": STRIPE | {"amount_refunded": amount}} for amount in (2800, 12800))], ("refunded", "0.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("Stripe's refund", [placed(**BOTH), *2 * [{**track("Order Refunded"), "properties": {"order_id": "NUMBER", "object": "refund", "id": "re_1", "amount": 2800, "currency": "eur"}}]], ("partly_refunded", "100.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("Stripe's checkout", [{**track("checkout.session.completed"), "properties": {"object": "checkout.session", "id": "cs_1", "amount_total": 7900, "currency": "eur", "metadata": {"order_id": "NUMBER"}, "line_items": {"object": "list", "data": [{"id": "li_1", "quantity": 2, "price": {"unit_amount": 3950, "currency": "eur"}}]}}}], ("placed", "79.00", "EUR"), [("li_1", 2, "39.50")]),
    Case("Stripe in yen", [{**track("checkout.session.completed"), "properties": {"object": "checkout.session", "amount_total": 10000, "currency": "jpy", "metadata": {"order_id": "NUMBER"}}}], ("placed", "10000", "JPY")),
    Case("refund of a product", [placed(**BOTH), track("Order Refunded", products=[{"product_id": "meal"}])], ("partly_refunded", "79.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("refund by sku and quantity", [placed(**BOTH), track("Order Refunded", products=[{"sku": "MEAL-1", "quantity": 1}])], ("partly_refunded", "115.75", "EUR"), [DAY_LINE, ("meal", 3, "12.25")]),
    Case("refund sent three times with new message ids, nozzlegear/ShopifySharp#919", [placed(**BOTH), *3 * [track("Order Refunded", amount=28)]], ("partly_refunded", "100.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("refund of a line sent twice, woocommerce/woocommerce-gateway-stripe#838", [placed(**BOTH), *2 * [track("Order Refunded", products=[{"sku": "MEAL-1", "quantity": 1}])]], ("partly_refunded", "115.75", "EUR"), [DAY_LINE, ("meal", 3, "12.25")]),
    Case("equal refunds of one time with their own ids", [placed(**BOTH), *(track("Order Refunded", amount=28, refund_id=reference) for reference in ("r-1", "r-2"))], ("partly_refunded", "72.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("different refunds of one time", [placed(**BOTH), *(track("Order Refunded", amount=amount) for amount in (28, 10))], ("partly_refunded", "90.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("refund without its amount, saleor/saleor#14108", [placed(**BOTH), track("Order Refunded", amount=None, currency="EUR")], ("placed", "128.00", "EUR"), [DAY_LINE, MEAL_LINE], ["unknown_amount"], ["unknown_amount"]),
    Case("Shopify's refund without lines", [placed(**BOTH), track("Order Refunded", id=510, note="late", refund_line_items=[])], ("placed", "128.00", "EUR"), [DAY_LINE, MEAL_LINE], ["unknown_amount"], ["unknown_amount"]),
    Case("refund of 0", [placed(**BOTH), track("Order Refunded", amount="0.00")], ("placed", "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("refund of a line of another order, antiwork/gumroad#5742", [placed(**BOTH), track("Order Refunded", products=[{"product_id": "other", "quantity": 1, "price": 5}])], ("placed", "128.00", "EUR"), [DAY_LINE, MEAL_LINE], ["unknown_line"]),
    Case("updated after its cancellation, mollie/PrestaShop#249", [placed(**BOTH), track("Order Cancelled"), track("Order Updated", **BOTH)], ("cancelled", "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("refund of everything", [placed(**BOTH), track("Order Refunded")], ("refunded", "0.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("refund above the order", [placed(**BOTH), track("Order Refunded", total=500)], ("refunded", "0.00", "EUR"), [DAY_LINE, MEAL_LINE], ["refund_above_order"]),
    Case("refund in words", [placed(**BOTH), track("Order Refunded", amount="a part")], ("placed", "128.00", "EUR"), [DAY_LINE, MEAL_LINE], ["unreadable_amount"], ["unreadable_amount"]),
    Case("cancellation by sku", [placed(**BOTH), track("Order Line Cancelled", sku="MEAL-1", quantity="1")], ("amended", "115.75", "EUR"), [DAY_LINE, ("meal", 3, "12.25")]),
    Case("cancellation of a line sent twice", [placed(**BOTH), *2 * [track("Order Line Cancelled", sku="MEAL-1", quantity=1)]], ("amended", "115.75", "EUR"), [DAY_LINE, ("meal", 3, "12.25")]),
    Case("completed and cancelled in one millisecond", [placed(**BOTH), track("Order Cancelled")], ("cancelled", "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("cancelled and completed in one millisecond", [track("Order Cancelled"), placed(**BOTH)], ("placed", "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("similar name", [placed(**BOTH), track("Order Complete", **BOTH | {"total": 1})], ("placed", "128.00", "EUR"), [DAY_LINE, MEAL_LINE], [], ["similar_name"]),
    Case("same product on two lines", [placed(currency="EUR", products=[DAY, DAY]), track("Order Refunded", products=[{"product_id": "day", "quantity": 3}])], ("partly_refunded", "39.50", "EUR"), [DAY_LINE, ("day", 1, "39.50")]),
]
# fmt: on

"""Orders whose amounts and quantities are spelled in many ways."""

from tests.payloads.shapes import BOTH, DAY, DAY_LINE, MEAL, MEAL_LINE, Case, day, placed

PLACED = "placed"


def price(name, stated, total, unit_price, *, currency="EUR", doubts=(), **fields):
    """Return a case of one line whose price is stated in this way."""
    event = placed(currency=currency, products=[DAY | {"price": stated} | fields])
    lines = [("day", 2, unit_price)]
    return Case(name, [event], (PLACED, total, currency), lines, [*doubts], [*doubts])


# fmt: off
CASES = [
    price("price as float", 39.5, "79.00", "39.50"),
    price("price as whole number", 39, "78.00", "39.00"),
    price("price as text", "39.50", "79.00", "39.50"),
    price("price with decimal comma", "39,50", "79.00", "39.50"),
    price("price with thousands, English", "1,234.50", "2469.00", "1234.50"),
    price("price with thousands, German (drawrowfly/amazon-product-api#8)", "1.999,99", "3999.98", "1999.99"),
    price("price with thousands, Swiss", "1'234.50", "2469.00", "1234.50"),
    price("price with thousands, French", "1\u202f234,50", "2469.00", "1234.50"),
    price("price with thousands (reactioncommerce/reaction#5191)", "1,000.00", "2000.00", "1000.00"),
    price("price with thousands (jef/streetmerchant#2152)", "1,600.00", "3200.00", "1600.00"),
    price("price with sign in front", "€ 39,50", "79.00", "39.50"),
    price("price with sign behind (wojodesign/simplecart-js#70)", "12,50€", "25.00", "12.50"),
    price("price with pounds and thousands (jeffharrell/minicart#308)", "£1,999.99", "3999.98", "1999.99", currency="GBP"),
    price("price with currency behind", "39.50 EUR", "79.00", "39.50"),
    price("price with blanks", " 39.50 ", "79.00", "39.50"),
    price("price without cents, Dutch", "39,-", "78.00", "39.00"),
    price("price with four zeros, Magento", "39.5000", "79.00", "39.50"),
    price("price as object", {"amount": "39.50", "currency": "EUR"}, "79.00", "39.50"),
    price("price as object of Shopify", {"shop_money": {"amount": "39.50", "currency_code": "EUR"}, "presentment_money": {"amount": "42.00", "currency_code": "USD"}}, "79.00", "39.50"),
    price("price as object in cents", {"amount": 3950, "currency": "eur", "unit": "cents"}, "79.00", "39.50"),
    price("price with two meanings (matomo-org/matomo#21392)", "6,795", "0.00", None, doubts=["ambiguous_amount"]),
    price("price with two meanings, German", "1.234", "0.00", None, doubts=["ambiguous_amount"]),
    price("price in words", "free", "0.00", None, doubts=["unreadable_amount"]),
    price("price in another currency", "39.50 USD", "0.00", None, doubts=["other_currency"]),
    price("price with too many decimals", 13.333333, "26.66", "13.33", doubts=["rounded_amount"]),
    price("yen without decimals (Automattic/woocommerce-payments#3376)", 10000, "20000", "10000", currency="JPY"),
    price("yen with zeros (woocommerce/woocommerce-gateway-amazon-pay#148)", "705.00", "1410", "705", currency="JPY"),
    price("yen with decimals (Automattic/woocommerce-payments#11134)", "16.24", "32", "16", currency="JPY", doubts=["rounded_amount"]),
    price("yen in the smallest unit (calcom/cal.diy#29984)", {"amount": 10000, "currency": "jpy", "unit": "minor"}, "20000", "10000", currency="JPY"),
    price("dinar with three decimals", "1.250", "2.500", "1.250", currency="KWD"),
    Case("price in the currency of its sign", [placed(products=[DAY], total="€ 79,00")], (PLACED, "79.00", "EUR"), [DAY_LINE]),
    Case("prices in declared cents", [placed(unit="cents", currency="EUR", total=7900, products=[DAY | {"price": 3950}])], (PLACED, "79.00", "EUR"), [DAY_LINE]),
    Case("prices in fields of cents", [placed(currency="EUR", total_cents=7900, products=[{"product_id": "day", "price_cents": 3950, "quantity": 2}])], (PLACED, "79.00", "EUR"), [DAY_LINE]),
    Case("quantity as text", [placed(**day(quantity="2"))], (PLACED, "79.00", "EUR"), [DAY_LINE]),
    Case("quantity with decimals", [placed(**day(quantity="2.0"))], (PLACED, "79.00", "EUR"), [DAY_LINE]),
    Case("quantity with blanks", [placed(**day(quantity=" 2 "))], (PLACED, "79.00", "EUR"), [DAY_LINE]),
    Case("quantity as float", [placed(**day(quantity=2.0))], (PLACED, "79.00", "EUR"), [DAY_LINE]),
    Case("returned product", [placed(currency="EUR", products=[MEAL, DAY | {"quantity": -1}])], (PLACED, "9.50", "EUR"), [MEAL_LINE, ("day", -1, "39.50")]),
    Case("quantity in words", [placed(**day(quantity="two"))], (PLACED, "0.00", "EUR"), [("day", None, "39.50")], ["unreadable_quantity"], ["unreadable_quantity"]),
    Case("quantity in kilograms", [placed(**day(quantity=1.5))], (PLACED, "0.00", "EUR"), [("day", None, "39.50")], ["unreadable_quantity"], ["unreadable_quantity"]),
    Case("quantity with two meanings", [placed(**day(quantity="1,000"))], (PLACED, "0.00", "EUR"), [("day", None, "39.50")], ["unreadable_quantity"], ["unreadable_quantity"]),
    Case("no total", [placed(**BOTH)], (PLACED, "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("unreadable total", [placed(**BOTH, total="?")], (PLACED, "128.00", "EUR"), [DAY_LINE, MEAL_LINE], ["unreadable_amount"], ["unreadable_amount"]),
    Case("total with two meanings", [placed(**BOTH, total="1.280")], (PLACED, "128.00", "EUR"), [DAY_LINE, MEAL_LINE], ["ambiguous_amount"], ["ambiguous_amount"]),
    Case("discounted total", [placed(**BOTH, total="99,95", discount=28.05)], (PLACED, "99.95", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("total of a return", [placed(currency="EUR", total=-39.5, products=[DAY | {"quantity": -1}])], (PLACED, "-39.50", "EUR"), [("day", -1, "39.50")]),
    Case("currency in small letters", [placed(**BOTH | {"currency": "eur"})], (PLACED, "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("currency in words", [placed(**BOTH | {"currency": "euro"})], (PLACED, "128.00", ""), [DAY_LINE, MEAL_LINE], ["unreadable_currency"], ["unreadable_currency"]),
    Case("products as text of JSON", [placed(currency="EUR", products='[{"product_id":"day","price":39.5,"quantity":2}]')], (PLACED, "79.00", "EUR"), [DAY_LINE]),
    Case("products as map", [placed(currency="EUR", products={"0": DAY, "1": MEAL})], (PLACED, "128.00", "EUR"), [DAY_LINE, MEAL_LINE]),
    Case("one product as object", [placed(currency="EUR", products=DAY)], (PLACED, "79.00", "EUR"), [DAY_LINE]),
    Case("products in words", [placed(currency="EUR", products="2 day tickets", total=79)], (PLACED, "79.00", "EUR"), [], ["unreadable_lines"], ["unreadable_lines"]),
    Case("visit at half past nine", [placed(**day(), visit_date="2027-05-01", visit_time="9.30")], (PLACED, "79.00", "EUR"), [DAY_LINE]),
    Case("visit on an unclear day", [placed(**day(), visit_date="01/05/2027", visit_time="morning")], (PLACED, "79.00", "EUR"), [DAY_LINE], ["unreadable_date", "unreadable_time_of_day"], ["unreadable_date", "unreadable_time_of_day"]),
]
# fmt: on

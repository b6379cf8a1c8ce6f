import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations, models

# Without accents and capitals. Immutable, because the dictionary is named: an index may use it.
PLAIN = """
CREATE FUNCTION customers_plain(text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, $1)) $$;
"""
NAMES = "'name', 'first_name', 'firstName', 'last_name', 'lastName'"
SAID = f"""string_agg(customers_plain(left(value #>> '{{}}', 200)), ' '
                      ORDER BY array_position(ARRAY[{NAMES}], name))"""
KEEP = f"""
CREATE FUNCTION customers_keep_search_name() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose uuid := coalesce(NEW.customer_id, OLD.customer_id);
    said text;
BEGIN
    SELECT {SAID}
      INTO said
      FROM customers_trait
     WHERE customer_id = whose AND name IN ({NAMES}) AND jsonb_typeof(value) = 'string';
    IF said IS NULL THEN
        DELETE FROM customers_searchname WHERE customer_id = whose;
    ELSE
        INSERT INTO customers_searchname AS kept (customer_id, plain) VALUES (whose, said)
            ON CONFLICT (customer_id) DO UPDATE SET plain = EXCLUDED.plain
         WHERE kept.plain <> EXCLUDED.plain;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER search_name_is_added AFTER INSERT ON customers_trait
    FOR EACH ROW WHEN (NEW.name IN ({NAMES}))
    EXECUTE FUNCTION customers_keep_search_name();
CREATE TRIGGER search_name_is_changed AFTER UPDATE OF value ON customers_trait
    FOR EACH ROW WHEN (NEW.name IN ({NAMES}) AND NEW.value IS DISTINCT FROM OLD.value)
    EXECUTE FUNCTION customers_keep_search_name();
CREATE TRIGGER search_name_is_dropped AFTER DELETE ON customers_trait
    FOR EACH ROW WHEN (OLD.name IN ({NAMES}))
    EXECUTE FUNCTION customers_keep_search_name();
"""
FILL = f"""
INSERT INTO customers_searchname (customer_id, plain)
SELECT customer_id, {SAID}
  FROM customers_trait
 WHERE name IN ({NAMES}) AND jsonb_typeof(value) = 'string'
 GROUP BY customer_id;
"""
UNDO = """
DROP TRIGGER search_name_is_dropped ON customers_trait;
DROP TRIGGER search_name_is_changed ON customers_trait;
DROP TRIGGER search_name_is_added ON customers_trait;
DROP FUNCTION customers_keep_search_name();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0007_what_was_said_elsewhere"),
    ]

    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunSQL(PLAIN, "DROP FUNCTION customers_plain(text);"),
        migrations.CreateModel(
            name="Guess",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.BinaryField(max_length=16)),
                ("window", models.DateTimeField()),
                ("tries", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="SearchName",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search_name",
                        serialize=False,
                        to="customers.customer",
                    ),
                ),
                ("plain", models.TextField()),
            ],
        ),
        migrations.AlterModelOptions(
            name="customer",
            options={
                "permissions": [
                    ("find_customer", "Can search for customers"),
                    ("meet_customer", "Can see who a customer is and when they visit"),
                ]
            },
        ),
        migrations.AddIndex(
            model_name="identifier",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    models.Func(
                        models.F("value"), models.Value("@"), models.Value(1), function="split_part"
                    ),
                    name="gin_trgm_ops",
                ),
                condition=models.Q(("kind", "email")),
                name="identifier_mailbox",
            ),
        ),
        migrations.AddIndex(
            model_name="identifier",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Reverse("value"), name="text_pattern_ops"
                ),
                condition=models.Q(("kind", "phone")),
                name="identifier_end_of_number",
            ),
        ),
        migrations.AddIndex(
            model_name="guess",
            index=models.Index(fields=["window"], name="guess_window"),
        ),
        migrations.AddConstraint(
            model_name="guess",
            constraint=models.UniqueConstraint(
                fields=("subject", "window"), name="guess_counted_together"
            ),
        ),
        migrations.AddIndex(
            model_name="searchname",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["plain"],
                gin_pending_list_limit=256,
                name="search_name_trigrams",
                opclasses=["gin_trgm_ops"],
            ),
        ),
        migrations.RunSQL([KEEP, FILL], [UNDO]),
    ]

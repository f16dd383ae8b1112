"""The record refuses UPDATE, DELETE and TRUNCATE (DESIGN §8)."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION workflows_record_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER record_refuses_change BEFORE UPDATE OR DELETE ON workflows_record
    FOR EACH ROW EXECUTE FUNCTION workflows_record_is_append_only();
CREATE TRIGGER record_refuses_truncate BEFORE TRUNCATE ON workflows_record
    FOR EACH STATEMENT EXECUTE FUNCTION workflows_record_is_append_only();
"""
BACKWARD = """
DROP TRIGGER record_refuses_truncate ON workflows_record;
DROP TRIGGER record_refuses_change ON workflows_record;
DROP FUNCTION workflows_record_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("workflows", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

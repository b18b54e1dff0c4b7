-- Every change of a job or a run is announced on the channel cxr_events as {"type": "job" | "run", "id": "..."}, whoever writes it.
-- Within one transaction Postgres sends equal notifications once.
CREATE FUNCTION cxr_notify() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed jsonb := to_jsonb(COALESCE(NEW, OLD));
BEGIN
  PERFORM pg_notify('cxr_events', json_build_object('type', TG_ARGV[0], 'id', changed ->> TG_ARGV[1])::text);
  RETURN NULL;
END
$$;

CREATE TRIGGER cxr_notify AFTER INSERT OR UPDATE OR DELETE ON "Job" FOR EACH ROW EXECUTE FUNCTION cxr_notify('job', 'id');
CREATE TRIGGER cxr_notify AFTER INSERT OR UPDATE OR DELETE ON "JobEvent" FOR EACH ROW EXECUTE FUNCTION cxr_notify('job', 'jobId');
CREATE TRIGGER cxr_notify AFTER INSERT OR UPDATE OR DELETE ON "Run" FOR EACH ROW EXECUTE FUNCTION cxr_notify('run', 'id');
CREATE TRIGGER cxr_notify AFTER INSERT OR UPDATE OR DELETE ON "Epoch" FOR EACH ROW EXECUTE FUNCTION cxr_notify('run', 'runId');
CREATE TRIGGER cxr_notify AFTER INSERT OR UPDATE OR DELETE ON "Evaluation" FOR EACH ROW EXECUTE FUNCTION cxr_notify('run', 'runId');

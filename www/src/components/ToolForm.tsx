// One tool as a form: a field for each property of its inputSchema, the priority, and the call button.
// The browser checks what a field can check; the server judges the rest.
import { useId, useMemo, useState, type FormEvent } from "react";
import type { Tool } from "bowline";
import { PRIORITIES, type Calls, type Priority } from "../calls";
import { argumentsOf, fieldsOf } from "../schema";
import { FieldInput } from "./FieldInput";

export function ToolForm({ tool, onCall }: { tool: Tool; onCall: Calls["start"] }) {
  const fields = useMemo(() => fieldsOf(tool.inputSchema), [tool.inputSchema]);
  const [priority, setPriority] = useState<Priority>("normal");
  const priorityId = useId();

  function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    onCall(tool.name, argumentsOf(fields, new FormData(event.currentTarget)), priority);
  }
  return (
    <form className="form" onSubmit={onSubmit}>
      {fields.length === 0 && <p className="form-none">This tool takes no arguments.</p>}
      {fields.map((field) => <FieldInput key={field.name} field={field} />)}
      <div className="form-end">
        <button type="submit" className="button button-primary">Call {tool.name}</button>
        <div className="form-priority">
          <label htmlFor={priorityId}>Priority</label>
          <select id={priorityId} value={priority} onChange={(event) => setPriority(event.target.value as Priority)}>
            {PRIORITIES.map((level) => <option key={level}>{level}</option>)}
          </select>
        </div>
      </div>
    </form>
  );
}

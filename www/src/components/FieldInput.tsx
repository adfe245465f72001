// One labelled input for one property of a tool's arguments. The element is chosen by the field's kind.
import { useId, type FormEvent } from "react";
import type { Field } from "../schema";

export function FieldInput({ field }: { field: Field }) {
  const id = useId();
  const hint = `${id}-hint`;
  const described = field.description ? hint : undefined;
  return (
    <div className="field" data-kind={field.kind}>
      <label htmlFor={id} className="field-label">
        <span className="field-name">{field.name}</span>
        <span className="field-type">{field.kind}{field.required ? "" : ", optional"}</span>
      </label>
      <Input field={field} id={id} described={described} />
      {field.description && <p id={hint} className="field-hint">{field.description}</p>}
    </div>
  );
}

function Input({ field, id, described }: { field: Field; id: string; described: string | undefined }) {
  const { schema, kind, initial } = field;
  const common = { id, name: field.name, "aria-describedby": described };
  const text = initial === undefined || initial === null ? "" : String(initial);
  switch (kind) {
    case "boolean":
      return <input {...common} type="checkbox" defaultChecked={initial === true} />;
    case "enum":
      return (
        <select {...common} required={field.required} defaultValue={text}>
          {(!field.required || text === "") && <option value="">{field.required ? "choose one" : "not given"}</option>}
          {field.options.map(({ value, label }) => <option key={label} value={String(value)}>{label}</option>)}
        </select>
      );
    case "number":
    case "integer":
      return (
        <input
          {...common}
          type="number"
          step={kind === "integer" ? 1 : "any"}
          min={schema.minimum}
          max={schema.maximum}
          required={field.required}
          defaultValue={text}
        />
      );
    case "json":
      return (
        <textarea
          {...common}
          rows={3}
          spellCheck={false}
          required={field.required}
          defaultValue={initial === undefined ? "" : JSON.stringify(initial)}
          placeholder={schema.type === "array" ? "[]" : "{}"}
          onInput={checkJson}
        />
      );
    case "string":
      return (
        <input
          {...common}
          type={schema.format === "email" ? "email" : schema.format === "uri" ? "url" : "text"}
          pattern={schema.pattern}
          minLength={schema.minLength}
          maxLength={schema.maxLength}
          required={field.required}
          defaultValue={text}
          autoComplete="off"
          spellCheck={false}
        />
      );
  }
}

function checkJson(event: FormEvent<HTMLTextAreaElement>) {
  const area = event.currentTarget;
  let message = "";
  try {
    if (area.value !== "") JSON.parse(area.value);
  } catch (error) {
    message = `Not JSON: ${(error as Error).message}`;
  }
  area.setCustomValidity(message);
}

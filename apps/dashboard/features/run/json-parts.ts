import { jsonText } from '../../lib/format.ts';

export interface JsonTable {
  name: string;
  columns: string[];
  rows: { key: string; values: Record<string, unknown> }[];
}

type JsonObject = Record<string, unknown>;

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A JSON object split for reading: single values and short lists as facts (nested ones named `outer.inner`), objects whose members
 * are objects, or that have more than eight members, as tables with one row a member.
 */
export function jsonParts(value: JsonObject): { facts: { name: string; text: string }[]; tables: JsonTable[] } {
  const facts: { name: string; text: string }[] = [];
  const tables: JsonTable[] = [];
  const visit = (object: JsonObject, path: string): void => {
    for (const [key, member] of Object.entries(object)) {
      const name = path === '' ? key : `${path}.${key}`;
      if (!isObject(member)) facts.push({ name, text: Array.isArray(member) ? member.map(jsonText).join(', ') : jsonText(member) });
      else if (isTable(member)) tables.push(toTable(name, member));
      else visit(member, name);
    }
  };
  visit(value, '');
  return { facts, tables };
}

function isTable(object: JsonObject): boolean {
  const members = Object.values(object);
  return members.length > 8 || (members.length > 2 && members.every((member) => member === null || isObject(member)));
}

function toTable(name: string, object: JsonObject): JsonTable {
  const rows = Object.entries(object).map(([key, member]) => ({ key, values: isObject(member) ? flat(member) : { value: member } }));
  return { name, columns: [...new Set(rows.flatMap(({ values }) => Object.keys(values)))], rows };
}

function flat(object: JsonObject, path = ''): JsonObject {
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, member]): [string, unknown][] => {
      const name = path === '' ? key : `${path}.${key}`;
      return isObject(member) ? Object.entries(flat(member, name)) : [[name, member]];
    }),
  );
}

import { jsonText } from '../../lib/format.ts';

export interface JsonTable {
  name: string;
  columns: string[];
  rows: { key: string; values: Record<string, unknown> }[];
}

type JsonObject = Record<string, unknown>;

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lists longer than this are for machines: they stay in the raw view. */
const LONGEST_LIST = 4;

/**
 * A JSON object split for reading: single values and short lists as facts (nested ones named `outer inner`), and one table for all
 * objects that are keyed alike, such as one entry a finding. A list of strings in the object that names the keys gives their order.
 */
export function jsonParts(value: JsonObject): { facts: { name: string; text: string }[]; table: JsonTable | null } {
  const facts: { name: string; text: string }[] = [];
  const keyed: { name: string; object: JsonObject }[] = [];
  const visit = (object: JsonObject, path: string): void => {
    for (const [key, member] of Object.entries(object)) {
      const name = path === '' ? words(key) : `${path} ${words(key)}`;
      if (isObject(member)) {
        if (Object.keys(member).length > LONGEST_LIST + 1) keyed.push({ name, object: member });
        else visit(member, name);
      } else if (!Array.isArray(member)) facts.push({ name, text: jsonText(member) });
      else if (member.length <= LONGEST_LIST) facts.push({ name, text: member.map(jsonText).join(', ') });
    }
  };
  visit(value, '');
  return { facts, table: keyed.length === 0 ? null : merge(keyed, value) };
}

function merge(keyed: readonly { name: string; object: JsonObject }[], value: JsonObject): JsonTable {
  const keys = [...new Set(keyed.flatMap(({ object }) => Object.keys(object)))];
  const lists = Object.entries(value).filter(([, member]) => Array.isArray(member) && keys.every((key) => member.includes(key)));
  const [name, order] = lists[0] ?? ['', keys];
  const rows = (order as string[]).map((key) => ({
    key,
    values: Object.fromEntries(keyed.flatMap((column) => (key in column.object ? columns(column.name, column.object[key]) : []))),
  }));
  return { name: words(name), columns: [...new Set(rows.flatMap(({ values }) => Object.keys(values)))], rows };
}

/** One member of a keyed object as columns; a nested object gives a column a value. */
function columns(name: string, member: unknown): [string, unknown][] {
  if (!isObject(member)) return member === null ? [] : [[name, member]];
  return Object.entries(member).flatMap(([key, inner]) => columns(`${name} ${words(key)}`, inner));
}

/** `camThresholds` as `cam thresholds`. */
function words(name: string): string {
  return name.replace(/[a-z][A-Z]/g, ([first, second]) => `${first} ${second!.toLowerCase()}`);
}

import protobuf from 'protobufjs/light.js';

/** A field: its type, its number, and whether it is a list or a map from text. */
type Field = readonly [type: string, id: number, rule?: 'repeated' | 'map'];

/** The message's writer and reader; each message of the set is described by the fields that are used, no more. */
export function messageType<T extends object>(
  descriptions: Record<string, Record<string, Field>>,
  message: string,
): { encode(value: T): Uint8Array; decode(bytes: Uint8Array): T } {
  const nested = Object.entries(descriptions).map(([name, fields]) => {
    const described = Object.entries(fields).map(([field, description]) => [field, descriptor(description)]);
    // Of this edition a field that is set is written, a false or a zero too: a reader's own default may be another.
    return [name, { edition: '2023', fields: Object.fromEntries(described) }];
  });
  const type = protobuf.Root.fromJSON({ nested: Object.fromEntries(nested) as Record<string, protobuf.IType> }).lookupType(message);
  return {
    encode: (value) => type.encode(value).finish(),
    decode: (bytes) => type.toObject(type.decode(bytes), { longs: Number }) as T,
  };
}

function descriptor([type, id, rule]: Field): protobuf.IField | protobuf.IMapField {
  if (rule === 'map') return { keyType: 'string', type, id };
  return rule ? { type, id, rule } : { type, id };
}

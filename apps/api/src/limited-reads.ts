import { getDatamodel, type PrismaClient } from '@cxr-lens/prisma';
import type { Budget } from './budget.ts';

type Row = Record<string, unknown>;

/** The arguments of a read as Prisma takes them; `include` and `select` hold the same for each relation, or true. */
interface Args {
  where?: object;
  orderBy?: object;
  take?: number;
  include?: Record<string, unknown>;
  select?: Record<string, unknown>;
}

interface Delegate {
  findMany(args: Args): Promise<Row[]>;
  count(args: Pick<Args, 'where'>): Promise<number>;
}

interface Relation {
  name: string;
  model: string;
  isList: boolean;
  /** The column with the other row's id: here where it is one row, on the other side where it is a list. */
  key: string;
}

interface Model {
  relations: Relation[];
  /** Columns that rows are joined by. */
  keys: string[];
}

const MODELS = readModels();
const READS = ['findMany', 'findFirst', 'findFirstOrThrow', 'findUnique', 'findUniqueOrThrow'];

/**
 * The client with reads that count their rows, level by level, before the next level is read. Prisma alone reads all levels of a query at
 * once and copies a row for each place that it is needed in: three levels from a study to its images and back are its images cubed.
 * Here a row of one level is one object. Transactions and raw queries are as they are.
 */
export function limitedReads(prisma: PrismaClient, budget: () => Budget): PrismaClient {
  const delegateOf = (model: string): Delegate => Reflect.get(prisma, model[0]!.toLowerCase() + model.slice(1)) as Delegate;
  const reader: Reader = { delegateOf, budget };
  const names = new Map(Object.keys(MODELS).map((model) => [model[0]!.toLowerCase() + model.slice(1), model]));
  return new Proxy(prisma, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property);
      const model = names.get(String(property));
      if (model) return limitedDelegate(reader, model, value as object);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

interface Reader {
  delegateOf(model: string): Delegate;
  budget(): Budget;
}

function limitedDelegate(reader: Reader, model: string, delegate: object): object {
  return new Proxy(delegate, {
    get: (target, property) => {
      const read: unknown = Reflect.get(target, property);
      if (typeof read !== 'function' || !READS.includes(String(property))) return read;
      return async (args: Args = {}): Promise<Row[] | Row | null> => {
        const budget = reader.budget();
        const most = property === 'findMany' && args.take === undefined ? { take: budget.rowsLeft() + 1 } : {};
        const found = (await read.call(target, { ...most, ...flat(model, args) })) as Row[] | Row | null;
        const rows = Array.isArray(found) ? found : found === null ? [] : [found];
        budget.rows(rows.length);
        await readRelations(reader, model, rows, args);
        return found;
      };
    },
  });
}

/** The same read without its relations. */
function flat(model: string, { include, select, ...args }: Args): Args {
  const { relations, keys } = MODELS[model]!;
  const scalars = (picked: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(picked).filter(([name]) => !relations.some((relation) => relation.name === name)));
  if (select) return { ...args, select: { ...scalars(select), ...Object.fromEntries(keys.map((key) => [key, true])) } };
  const rest = scalars(include ?? {});
  return Object.keys(rest).length > 0 ? { ...args, include: rest } : args;
}

async function readRelations(reader: Reader, model: string, rows: readonly Row[], { include, select }: Args): Promise<void> {
  const picked = include ?? select ?? {};
  for (const relation of MODELS[model]!.relations) {
    const asked = picked[relation.name];
    if (!asked || rows.length === 0) continue;
    const args: Args = asked === true ? {} : asked;
    const children = relation.isList ? await readLists(reader, relation, rows, args) : await readOnes(reader, relation, rows, args);
    await readRelations(reader, relation.model, children, args);
  }
}

/** Sets the list of each row; resolves to the rows in all of them. */
async function readLists(reader: Reader, { name, model, key }: Relation, parents: readonly Row[], args: Args): Promise<Row[]> {
  const lists = new Map<unknown, Row[]>(parents.map(({ id }) => [id, []]));
  const { take, ...rest } = flat(model, args);
  const read = (ids: unknown[], most?: number): Promise<Row[]> =>
    readRows(reader, model, {
      ...rest,
      where: { AND: [{ [key]: { in: ids } }, rest.where ?? {}] },
      ...(most === undefined ? {} : { take: most }),
    });
  // Prisma takes some of each list by reading them whole, which is right where that is little.
  const apart =
    take !== undefined && (lists.size === 1 || (await tooMany(reader, { model, key, ids: [...lists.keys()], where: rest.where })));
  const children: Row[] = [];
  if (apart) for (const id of lists.keys()) children.push(...(await read([id], take)));
  else children.push(...(await read([...lists.keys()])));
  for (const child of children) lists.get(child[key])!.push(child);
  for (const parent of parents) parent[name] = take === undefined ? lists.get(parent['id'])! : lists.get(parent['id'])!.slice(0, take);
  return take === undefined ? children : [...lists.values()].flatMap((list) => list.slice(0, take));
}

interface Lists {
  model: string;
  key: string;
  ids: readonly unknown[];
  where: object | undefined;
}

async function tooMany({ delegateOf, budget }: Reader, { model, key, ids, where }: Lists): Promise<boolean> {
  const count = await delegateOf(model).count({ where: { AND: [{ [key]: { in: ids } }, where ?? {}] } });
  return count > budget().rowsLeft() / 2;
}

/** Sets the one row that each row names; resolves to those rows. */
async function readOnes(reader: Reader, { name, model, key }: Relation, rows: readonly Row[], args: Args): Promise<Row[]> {
  const ids = [...new Set(rows.map((row) => row[key]).filter((id) => id !== null))];
  const found = ids.length === 0 ? [] : await readRows(reader, model, { ...flat(model, args), where: { id: { in: ids } } });
  const byId = new Map(found.map((one) => [one['id'], one]));
  for (const row of rows) row[name] = byId.get(row[key]) ?? null;
  return found;
}

async function readRows({ delegateOf, budget }: Reader, model: string, args: Args): Promise<Row[]> {
  const rows = await delegateOf(model).findMany({ take: budget().rowsLeft() + 1, ...args });
  budget().rows(rows.length);
  return rows;
}

function readModels(): Record<string, Model> {
  const { models } = getDatamodel().datamodel;
  return Object.fromEntries(
    Object.entries(models).map(([model, { fields }]) => {
      const relations = fields.flatMap(({ kind, name, type, isList, relationName, relationFromFields = [] }) => {
        if (kind !== 'object') return [];
        const other = models[type]!.fields.find((field) => field.relationName === relationName && field.relationFromFields?.length === 1);
        const key = isList ? other?.relationFromFields?.[0] : relationFromFields[0];
        return key ? [{ name, model: type, isList: isList ?? false, key }] : [];
      });
      const own = relations.filter(({ isList }) => !isList).map(({ key }) => key);
      return [model, { relations, keys: fields.some(({ isId }) => isId) ? ['id', ...own] : own }];
    }),
  );
}

/** One request, in the words of whoever is asked. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Path and query. */
  readonly path: string;
  /** JSON. */
  readonly body?: string;
}

/** What is measured: one kind of request, the same work for everybody. */
export interface Endpoint {
  readonly name: string;
  /** False where it changes rows. */
  readonly isRead: boolean;
  /** How PostgREST is asked; `n` is any whole number from 0 up, and picks the rows. */
  readonly postgrest: (n: number) => Call;
  /** How the FastAPI service is asked for the same. */
  readonly fastapi: (n: number) => Call;
  /** The same SQL as a script of pgbench; `schema` is quoted. */
  readonly sql: (schema: string) => string;
}

/** How many items there are; their ids are 1 to this. */
export const items = 10_000;
/** How many categories; each has the same number of items. */
export const categories = 500;
const price = 50;
const pageSize = 100;
const columns = 'id, name, category, price, note';

const idOf = (n: number) => String(1 + ((n * 7919) % items));
const categoryOf = (n: number) => String((n * 17) % categories);
const afterOf = (n: number) => String((n * 101) % (items - pageSize));
const randomId = `\\set id random(1, ${String(items)})\n`;
const randomCategory = `\\set category random(0, ${String(categories - 1)})\n`;

/** The endpoints, reads first. */
export const endpoints: readonly Endpoint[] = [
  {
    name: 'keyed read',
    isRead: true,
    postgrest: (n) => ({ method: 'GET', path: `/items?id=eq.${idOf(n)}` }),
    fastapi: (n) => ({ method: 'GET', path: `/items/${idOf(n)}` }),
    sql: (schema) => `${randomId}select ${columns} from ${schema}.items where id = :id;\n`,
  },
  {
    name: 'filtered list',
    isRead: true,
    postgrest: (n) => ({
      method: 'GET',
      path: `/items?select=id,name,price&category=eq.${categoryOf(n)}&price=gt.${String(price)}&order=id`,
    }),
    fastapi: (n) => ({
      method: 'GET',
      path: `/items?category=${categoryOf(n)}&above=${String(price)}`,
    }),
    sql: (schema) =>
      `${randomCategory}select id, name, price from ${schema}.items where category = :category and price > ${String(price)} order by id;\n`,
  },
  {
    name: 'page of 100',
    isRead: true,
    postgrest: (n) => ({
      method: 'GET',
      path: `/items?id=gt.${afterOf(n)}&order=id&limit=${String(pageSize)}`,
    }),
    fastapi: (n) => ({ method: 'GET', path: `/page?after=${afterOf(n)}&limit=${String(pageSize)}` }),
    sql: (schema) =>
      `\\set after random(0, ${String(items - pageSize)})\nselect ${columns} from ${schema}.items where id > :after order by id limit ${String(pageSize)};\n`,
  },
  {
    name: 'rpc read',
    isRead: true,
    postgrest: (n) => ({ method: 'GET', path: `/rpc/items_of?category=${categoryOf(n)}` }),
    fastapi: (n) => ({ method: 'GET', path: `/rpc/items_of?category=${categoryOf(n)}` }),
    sql: (schema) => `${randomCategory}select ${columns} from ${schema}.items_of(:category);\n`,
  },
  {
    name: 'insert',
    isRead: false,
    postgrest: (n) => ({ method: 'POST', path: '/events', body: `{"item":${idOf(n)},"note":"seen"}` }),
    fastapi: (n) => ({ method: 'POST', path: '/events', body: `{"item":${idOf(n)},"note":"seen"}` }),
    sql: (schema) => `${randomId}insert into ${schema}.events (item, note) values (:id, 'seen');\n`,
  },
  {
    name: 'update',
    isRead: false,
    postgrest: (n) => ({
      method: 'PATCH',
      path: `/items?id=eq.${idOf(n)}`,
      body: `{"note":"${String(n % 100)}"}`,
    }),
    fastapi: (n) => ({ method: 'PATCH', path: `/items/${idOf(n)}`, body: `{"note":"${String(n % 100)}"}` }),
    sql: (schema) => `${randomId}update ${schema}.items set note = '7' where id = :id;\n`,
  },
];

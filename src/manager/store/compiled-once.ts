import type { Compilable, CompiledQuery, DialectAdapter, Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/** Stands for a value while the query is built. */
class Place {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/**
 * A query that is built and compiled only the first time, for what every webhook asks: building and compiling cost
 * several times what SQLite needs to run it. `build` gets places instead of values and may hand them to `where`,
 * `values` and `set`, but not look at them; the text of the query must not depend on anything.
 */
export function compiledOnce<Values extends Readonly<Record<string, unknown>>, Row>(
  build: (db: Kysely<Tables>, values: Values) => Compilable<Row>,
): (db: Kysely<Tables>, values: Values) => Promise<readonly Row[]> {
  /** By the adapter, which a database shares with its transactions. */
  const compiled = new WeakMap<DialectAdapter, CompiledQuery<Row>>()

  function queryFor(db: Kysely<Tables>): CompiledQuery<Row> {
    const { adapter } = db.getExecutor()
    let query = compiled.get(adapter)
    if (!query) {
      query = build(db, places<Values>()).compile()
      compiled.set(adapter, query)
    }
    return query
  }

  return async (db, values) => {
    const query = queryFor(db)
    const parameters = query.parameters.map(value => (value instanceof Place ? values[value.name] : value))
    return (await db.executeQuery<Row>({ ...query, parameters })).rows
  }
}

function places<Values>(): Values {
  return new Proxy({}, { get: (_, name) => new Place(String(name)) }) as Values
}

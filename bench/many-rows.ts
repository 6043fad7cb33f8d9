import { DatabaseSync } from 'node:sqlite'

export const APPS = 10_000
export const DEPLOYMENTS = 1_000_000
/** Of them the last ones are of the project that a member sees. */
export const PROJECT_APPS = 20

/**
 * Fills the database of a manager that does not run: a repository for each ten apps, hosts with a hundred apps each, a
 * release for each app, and a million deployments of all apps in turn, one every second until a minute ago.
 */
export function fillDatabase(file: string, hosts: readonly string[], now: number): void {
  const database = new DatabaseSync(file)
  try {
    // A database that is thrown away afterwards.
    database.exec('pragma synchronous = off; pragma foreign_keys = off')
    database.exec('create temp table names (position integer primary key, name text)')
    const name = database.prepare('insert into names values (?, ?)')
    hosts.forEach((host, position) => void name.run(position, host))
    for (const statement of statements(now - 60_000 - DEPLOYMENTS * 1000, hosts.length)) {
      database.exec(statement)
    }
  } finally {
    database.close()
  }
}

export function appName(number: number): string {
  return `app-${String(number).padStart(5, '0')}`
}

/** `start`: when the first deployment was asked for, in ms. */
function statements(start: number, hosts: number): string[] {
  const id = (kind: string, number: string, time: string) =>
    `printf('%08x-%04x-7${kind}-8000-%012x', (${time}) >> 16, (${time}) & 65535, ${number})`
  const app = id('001', 'n', `${start - 1000} + 0`)
  const time = `${start} + n * 1000`
  const isNewest = `n >= ${DEPLOYMENTS - APPS}`
  const commit = "printf('%040x', n)"
  const failed = 'n % 20 = 0'
  const release = id('003', 'n % 10000', time)
  return [
    `create temp table counted as with recursive counted (n) as
      (select 0 union all select n + 1 from counted where n < ${DEPLOYMENTS - 1}) select n from counted`,
    `insert into repositories (id, name, url, branch, host, poll_seconds, auto_apps, created_at, updated_at)
      select printf('repository-%04d', n), printf('repository-%04d', n),
        printf('https://git.example.org/team/repository-%04d.git', n), 'main',
        (select name from names where position = 0), 0, 0, ${start}, ${start} from counted where n < ${APPS / 10}`,
    `insert into apps (id, name, repository_id, entry, target, overrides, host, created_at, updated_at)
      select ${app}, printf('app-%05d', n), printf('repository-%04d', n / 10), printf('app-%05d', n), 'container', '{}',
        (select name from names where position = n / ${APPS / hosts}), ${start}, ${start}
      from counted where n < ${APPS}`,
    `insert into domains (host, app_id) select name || '.example.org', id from apps`,
    'create temp table by_number as select id, row_number() over (order by name) - 1 as number from apps',
    'create unique index temp.by_number_number on by_number (number)',
    `insert into deployments (id, app_id, kind, state, outcome, "trigger", "commit", commit_subject, plan, plan_hash,
        evidence, error, failed_step, release_id, cancel_requested, created_at, started_at, deadline_at, finished_at)
      select ${id('002', 'n', time)}, (select by_number.id from by_number where number = n % ${APPS}), 'deploy',
        iif(${failed}, 'failed', 'succeeded'), iif(${failed}, 'failed', 'deployed'),
        '{"kind":"webhook","by":"github"}', ${commit}, 'Change number ' || n,
        '{"commands":["' || hex(randomblob(100)) || '"],"nothingToDo":false}', ${commit},
        '{"answers":["' || hex(randomblob(60)) || '"]}',
        iif(${failed}, '{"code":"IMAGE_BUILD_FAILED","message":"The build ended with 1.","hint":"Read the log.","retry":"never"}', null),
        iif(${failed}, 'build', null), iif(${failed}, null, ${release}), 0, ${time}, ${time}, ${time} + 600000, ${time} + 20000
      from counted`,
    `insert into releases (id, app_id, deployment_id, "commit", config_hash, content, created_at)
      select ${release}, (select by_number.id from by_number where number = n % ${APPS}), ${id('002', 'n', time)},
        ${commit}, ${commit}, '{}', ${time}
      from counted where ${isNewest}`,
    `insert into steps (deployment_id, name, position, state, attempt, started_at, deadline_at, finished_at, outcome)
      select ${id('002', 'n', time)}, 'step-' || each.value, each.value, 'done', 1, ${time}, ${time}, ${time}, '{}'
      from counted, json_each('[1,2,3,4,5,6,7,8,9]') as each where ${isNewest}`,
    `insert into projects (id, name, created_at) values ('team', 'team', ${start})`,
    `insert into project_items (kind, item, project_id, owner_id)
      select 'app', id, 'team', null from by_number where number < ${PROJECT_APPS}`,
  ]
}

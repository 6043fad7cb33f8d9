import type { AppDocument } from '#contract/rest/apps.ts'
import type { RepositoryDocument } from '#contract/rest/repositories.ts'
import { inertLine } from './inert.ts'
import { readList } from './page.ts'
import type { Session } from './session.ts'

/** A server that is slow is not waited for: what is found then shows in "fairlead status". */
const WITHIN_MS = 30_000
const LOOK_EVERY_MS = 200

/**
 * Waits until a repository that was just registered was looked at, so that its apps are there for the next command.
 * Gives what is known of it then.
 */
export async function awaitFirstLook(
  { client, clock, signal }: Session,
  registered: RepositoryDocument,
): Promise<RepositoryDocument> {
  const deadline = clock.monotonic() + WITHIN_MS
  let repository = registered
  while (repository.auto_apps && isUnseen(repository) && clock.monotonic() < deadline) {
    await clock.sleep(LOOK_EVERY_MS, signal)
    repository = await client.get<RepositoryDocument>(`/repositories/${encodeURIComponent(repository.name)}`)
  }
  return repository
}

/** What the first look found, for people. */
export async function tellFirstLook(
  { client, printer }: Session,
  repository: RepositoryDocument,
): Promise<void> {
  const { name, problem } = repository
  if (problem) {
    printer.note(printer.colour.yellow(`It cannot be deployed yet: ${inertLine(problem.message, 500)}`))
    printer.note(`hint: ${inertLine(problem.hint, 500)}`)
    return
  }
  const apps = await readList<AppDocument>(client, `/apps?repository=${encodeURIComponent(name)}`)
  if (apps.length > 0) {
    printer.line(`Its apps are deployed now: ${apps.map(app => inertLine(app.name)).join(', ')}`)
  }
  printer.line('See them with "fairlead status"; make a webhook with "fairlead repositories webhook".')
}

function isUnseen({ last_tip, problem }: RepositoryDocument): boolean {
  return last_tip === null && problem === null
}

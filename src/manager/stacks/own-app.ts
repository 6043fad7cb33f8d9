import type { ManagerParts } from '#manager/parts.ts'
import { APP_NAME_TAKEN } from '#manager/triggers/errors.ts'
import type { StackCode } from './read-code.ts'
import type { Rendered } from './render-stack.ts'

/** Of a stack that is to go, and whose app needs an approval. */
export async function waitingRemoval(
  { db }: ManagerParts,
  {
    repository,
    app,
    rendered,
  }: Pick<StackCode, 'repository'> & { readonly app: string; readonly rendered: Rendered | undefined },
): Promise<string[]> {
  const guarded = rendered
    ? undefined
    : await db
        .selectFrom('apps')
        .select('id')
        .where('name', '=', app)
        .where('repository_id', '=', repository.id)
        .where('approval', '=', 1)
        .executeTakeFirst()
  const command = `fairlead repositories removals ${repository.name} --go-on`
  return guarded ? [`the deployments of "${app}" need an approval: it goes on until "${command}"`] : []
}

/** An app of that name that is not the repository's own would keep the stack from ever being deployed. */
export async function refuseTakenName(
  { db }: ManagerParts,
  { id }: StackCode['repository'],
  name: string,
): Promise<void> {
  const other = await db
    .selectFrom('apps')
    .select('id')
    .where('name', '=', name)
    .where(eb => eb.or([eb('repository_id', 'is', null), eb('repository_id', '!=', id)]))
    .executeTakeFirst()
  if (other) {
    throw APP_NAME_TAKEN([name])
  }
}

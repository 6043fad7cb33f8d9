import { Type } from 'typebox'
import { Name, Nullable, strict } from './fields.ts'
import { Email } from './people.ts'

export const Badge = Type.Enum(['public', 'private'], {
  description:
    '"public": everybody may see its badge, which says the running commit, or the version of the newest artefact, and whether the last deployment worked. "private" (default): strangers are told the same as of an app that does not exist.',
})

/** Of an app: whose it is. */
export const Belongs = {
  owner: Nullable({
    ...Email,
    description:
      'Who may do with it what a maintainer may while they have a role where it belongs; null: nobody.',
  }),
  project: Nullable({
    ...Name,
    description: 'Where it was put itself; null: it is where its repository is.',
  }),
}

export const AppOwnerBody = Type.Object(
  { owner: Nullable({ ...Email, description: 'Of an account; null: nobody.' }) },
  strict,
)

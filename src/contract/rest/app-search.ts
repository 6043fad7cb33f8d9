import { Type } from 'typebox'

/** How one of many apps is found. */
export const AppSearch = {
  search: Type.Optional(
    Type.String({
      pattern: '^[a-z0-9-]{1,40}$',
      description: 'Only apps with this somewhere in their name.',
    }),
  ),
}

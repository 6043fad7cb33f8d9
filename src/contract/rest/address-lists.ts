import { type Static, Type } from 'typebox'
import { Nullable, strict, Time } from './fields.ts'

const Networks = Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 10_000 })
export const AddressListName = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,39}$' })

const OfKind = Type.Object(
  {
    kind: Type.Enum(['github-hooks', 'github-actions', 'github-git', 'bitbucket'], {
      description: 'What github.com or bitbucket.org publish of themselves.',
    }),
  },
  strict,
)
const OfUrl = Type.Object(
  {
    url: Type.String({
      ...{ pattern: '^https?://', maxLength: 2048 },
      description: 'A text with one network on each line, or JSON.',
    }),
    path: Type.Optional(
      Type.String({
        ...{ pattern: '^[A-Za-z0-9_*-]+(\\.[A-Za-z0-9_*-]+)*$', maxLength: 200 },
        description: 'Where the networks are in the JSON: keys with dots, * for each of a list.',
      }),
    ),
  },
  strict,
)
export const AddressListSource = Type.Union([OfKind, OfUrl])
export type AddressListSource = Static<typeof AddressListSource>

export const AddressListDocument = Type.Object(
  {
    name: AddressListName,
    source: AddressListSource,
    count: Type.Integer({ description: 'Networks in it.' }),
    fetched_at: { ...Time, description: 'When these networks were read.' },
    asked_at: { ...Time, description: 'When somebody last tried to read it.' },
    problem: Nullable(
      Type.String({ description: 'Why that did not work: the networks of before hold until it does.' }),
    ),
    used_by: Type.Array(Type.String(), { description: 'Apps with ports that are open for it.' }),
  },
  strict,
)
export type AddressListDocument = Static<typeof AddressListDocument>
export const AddressLists = Type.Object({ items: Type.Array(AddressListDocument) }, strict)
export type AddressLists = Static<typeof AddressLists>
export const AddressListDetail = Type.Object(
  { ...AddressListDocument.properties, networks: Networks },
  strict,
)
export type AddressListDetail = Static<typeof AddressListDetail>

import { type Static, Type } from 'typebox'
import {
  IMAGE_PATH_PATTERN,
  PUSHABLE_REFERENCE_PATTERN,
  REGISTRY_ADDRESS_PATTERN,
} from '#formats/image-reference.ts'
import { Secret } from '#lib/secret.ts'
import type { RegistryAccess } from '#programs/registry.ts'

const strict = { additionalProperties: false } as const

/** A registry with its credential. */
export const RegistryData = Type.Object(
  {
    /** `host[:port]` */
    address: Type.String({ pattern: REGISTRY_ADDRESS_PATTERN, maxLength: 255 }),
    username: Type.String({ maxLength: 255 }),
    password: Type.String({ secret: true, maxLength: 16_384 }),
    /** PEM of its own certificate authority. */
    ca: Type.Optional(Type.String({ maxLength: 65_536 })),
  },
  strict,
)
export type RegistryData = Static<typeof RegistryData>

export const RepositoryKey = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$' })
/** From the root of the repository; `.` is the root. Checked again by git's own rules for paths. */
export const TreePath = Type.String({ minLength: 1, maxLength: 1_024 })
export const ImagePath = Type.String({ pattern: IMAGE_PATH_PATTERN, maxLength: 200 })
export const PushableReference = Type.String({ pattern: PUSHABLE_REFERENCE_PATTERN, maxLength: 512 })
export const BuildName = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,127}$' })
export const BuildArgs = Type.Record(BuildName, Type.String({ maxLength: 16_384 }))
export const BuildTarget = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$' })

export function registryAccess(data: RegistryData): RegistryAccess {
  const { address, username, password, ca } = data
  // A registry without accounts is written as an empty user name.
  return username === '' ? { address, ca } : { address, username, password: new Secret(password), ca }
}

/** What the engine wants to know of a registry for a push or pull; undefined for one without accounts. */
export function engineCredential(data: RegistryData) {
  const { address, username, password } = data
  return username === '' ? undefined : { address, username, password: new Secret(password) }
}

import { type Static, Type } from 'typebox'
import { AppName, CommitId, DeploymentId, ImageName } from './container-data.ts'
import { RegistryData } from './image-data.ts'

const strict = { additionalProperties: false } as const

const Pem = { maxLength: 65_536, pattern: '^-----BEGIN ' } as const

export const RegistryServeData = Type.Object(
  {
    app: AppName,
    deployment: DeploymentId,
    commit: CommitId,
    configHash: Type.String({ pattern: '^[0-9a-f]{16,64}$' }),
    image: ImageName,
    /** Port of the host. */
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    /** As clients name it, with its account. */
    access: RegistryData,
    certificate: Type.String(Pem),
    key: Type.String({ ...Pem, secret: true }),
    /** One line for each account: name and bcrypt hash. */
    accounts: Type.String({ maxLength: 65_536, pattern: '^[^:\\s]+:\\$2[aby]\\$', secret: true }),
    withinMs: Type.Integer({ minimum: 0, maximum: 600_000 }),
  },
  strict,
)
export type RegistryServeData = Static<typeof RegistryServeData>

import { type Static, Type } from 'typebox'
import { DeploymentDocument } from './deployments.ts'
import { HostName, Name, Nullable, strict, Time } from './fields.ts'

const Certificate = Type.String({ pattern: '^-----BEGIN CERTIFICATE-----', maxLength: 65_536 })

/** What is left out stays as it is; a registry that is not there yet needs certificate, key and password. */
export const RegistryWish = Type.Object(
  {
    app: Type.Optional({ ...Name, description: 'Name of its app and its container; default "registry".' }),
    host: Type.Optional({
      ...HostName,
      description: 'Where it runs; needed when there are several workers.',
    }),
    name: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$',
        description: 'Host name or address that clients use; the certificate must be for it.',
      }),
    ),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
    image: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'Default "registry:2".' })),
    username: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$' })),
    password: Type.Optional(Type.String({ minLength: 8, maxLength: 72 })),
    password_hash: Type.Optional(
      Type.String({
        pattern: '^\\$2[aby]\\$[0-9]{2}\\$[./A-Za-z0-9]{53}$',
        description:
          'bcrypt of the password, the only form that the registry reads; left out it is made here.',
      }),
    ),
    certificate: Type.Optional(Certificate),
    key: Type.Optional(Type.String({ pattern: '^-----BEGIN ', maxLength: 65_536 })),
    authority: Type.Optional({
      ...Certificate,
      description: 'Authority of the certificate, when hosts do not know it.',
    }),
  },
  strict,
)
export type RegistryWish = Static<typeof RegistryWish>

export const RegistryDocument = Type.Object(
  {
    configured_by: Nullable(
      Type.Union([Type.Literal('environment'), Type.Literal('app')], {
        description: 'Who says where deployments push to; null: nobody, images stay on their host.',
      }),
    ),
    /** `host:port`, the first part of an image name. */
    address: Nullable(Type.String()),
    username: Nullable(Type.String()),
    authority: Nullable(
      Type.String({ description: 'What clients have to trust (PEM); null: an authority that systems know.' }),
    ),
    /** Of the registry that Fairlead runs. */
    app: Nullable(
      Type.Object({ name: Name, host: HostName, image: Type.String(), certificate_ends_at: Time }, strict),
    ),
  },
  strict,
)
export type RegistryDocument = Static<typeof RegistryDocument>

export const RegistryRequested = Type.Object(
  { registry: RegistryDocument, deployment: DeploymentDocument },
  strict,
)
export type RegistryRequested = Static<typeof RegistryRequested>

const Stored = { repository: Type.String(), digest: Type.String(), tags: Type.Array(Type.String()) }

export const CollectWish = Type.Object(
  {
    older_than_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 31_536_000,
        default: 3_600,
        description: 'Images that were built later stay, whether somebody needs them or not.',
      }),
    ),
  },
  strict,
)

export const CollectionDocument = Type.Object(
  {
    gone: Type.Array(Type.Object(Stored, strict)),
    kept: Type.Array(Type.Object({ ...Stored, why: Type.String() }, strict)),
    bytes: Type.Integer({ description: 'Of layers that nothing else has.' }),
  },
  strict,
)
export type CollectionDocument = Static<typeof CollectionDocument>

export const TrustDocument = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          host: HostName,
          /** Where the certificate lies; null: not installed, for the reason in `problem`. */
          file: Nullable(Type.String()),
          changed: Type.Boolean(),
          problem: Nullable(Type.String()),
          hint: Nullable(Type.String()),
          engines: Type.Array(
            Type.Object(
              {
                name: Type.String(),
                problem: Nullable(Type.String()),
                hint: Nullable(Type.String()),
                services: Type.Array(Type.String(), {
                  description: 'Services of its swarm that pull with the account from now on.',
                }),
              },
              strict,
            ),
            { description: 'Each engine of the host, and why it cannot log in; null: it can.' },
          ),
        },
        strict,
      ),
    ),
  },
  strict,
)
export type TrustDocument = Static<typeof TrustDocument>

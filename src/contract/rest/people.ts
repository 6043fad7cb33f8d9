import { type Static, Type } from 'typebox'
import { Id, Name, Nullable, strict, Time } from './fields.ts'

/**
 * People and how they sign in.
 *
 * A browser: GET /api/v1/sign-in says whether the first account is still to be made (POST /api/v1/first-start) and how
 * one signs in (POST /api/v1/sign-in, and with `next: "second-factor"` POST /api/v1/sign-in/second-factor). Both answers
 * set the cookie `__Host-fairlead` (HttpOnly, Secure, SameSite=Strict), which the API then takes like a token.
 * What has no session or token is answered with 401. Requests that change something need the header `Origin` of the same
 * address, which browsers send by themselves.
 */
export const ROLES = ['viewer', 'deployer', 'maintainer', 'admin'] as const
export const RoleName = Type.Enum([...ROLES], {
  description:
    'viewer: sees; deployer: also deploys; maintainer: also changes apps, repositories and secrets; admin: also people, hosts and settings.',
})
export type RoleName = Static<typeof RoleName>

export const Email = Type.String({
  pattern: '^[^@\\s]{1,64}@[^@\\s]{1,189}$',
  description: 'Capital and small letters make no difference.',
})
const PersonName = Type.String({ pattern: '^[^\\x00-\\x1f\\x7f]{1,100}$' })
const NewPassword = Type.String({ minLength: 12, maxLength: 200, secret: true, writeOnly: true })
const Password = Type.String({ minLength: 1, maxLength: 200, secret: true, writeOnly: true })
const Code = Type.String({ minLength: 1, maxLength: 100, secret: true, writeOnly: true })

export const SignInOptions = Type.Object(
  {
    first_start: Type.Boolean({
      description: 'Nobody has an account yet: POST /api/v1/first-start makes the first one.',
    }),
    providers: Type.Array(
      Type.Object(
        { name: Name, url: Type.String({ description: 'A page, not a route of the API.' }) },
        strict,
      ),
      { description: 'Where one may have the account that one signs in with.' },
    ),
    passkeys: Type.Boolean({ description: 'Whether browsers know passkeys at the address of this manager.' }),
  },
  strict,
)

export type SignInOptions = Static<typeof SignInOptions>

export const FirstStartCode = Type.Object(
  { code: Type.String(), expires_at: Time, url: Type.String({ description: 'Where it is typed in.' }) },
  strict,
)
export type FirstStartCode = Static<typeof FirstStartCode>

export const FirstStartBody = Type.Object(
  { code: Code, name: PersonName, email: Email, password: NewPassword },
  strict,
)
export const SignInBody = Type.Object({ email: Email, password: Password }, strict)

const SessionState = Type.Object(
  {
    id: Id,
    ends_at: Time,
  },
  strict,
)

export const MeDocument = Type.Object(
  {
    kind: Type.Enum(['person', 'token', 'job'], {
      description: 'person: by session or with a token of their own; token: of a machine; job: of a CI job.',
    }),
    name: PersonName,
    email: Nullable(Email),
    role: Type.Union([RoleName, Type.Null()], { description: 'Everywhere; null: only what projects give.' }),
    projects: Type.Array(Type.Object({ name: Name, role: RoleName }, strict)),
    scopes: Type.Union([Type.Array(Type.String()), Type.Null()], {
      description: 'What the token was made for; null: whatever the role allows.',
    }),
    two_factor: Type.Boolean(),
    factor_needed: Type.Boolean({
      description: 'Nothing else is open until there is a second factor: POST /api/v1/me/two-factor.',
    }),
    recovery_codes: Type.Integer({ description: 'So many are left.' }),
    session: Type.Union([SessionState, Type.Null()], { description: 'null: asked with a token.' }),
  },
  strict,
)
export type MeDocument = Static<typeof MeDocument>

export const SignedIn = Type.Object(
  {
    next: Type.Enum(['done', 'second-factor'], {
      description: 'second-factor: the session opens nothing until POST /api/v1/sign-in/second-factor.',
    }),
  },
  strict,
)
export type SignedIn = Static<typeof SignedIn>

export const SessionDocument = Type.Object(
  {
    id: Id,
    is_this: Type.Boolean({ description: 'The one that asks.' }),
    created_at: Time,
    used_at: Time,
    ends_at: Time,
    address: Type.String(),
    program: Type.String({ description: 'What the browser calls itself.' }),
  },
  strict,
)
export type SessionDocument = Static<typeof SessionDocument>
export const SessionList = Type.Object({ items: Type.Array(SessionDocument) }, strict)

export const FactorBody = Type.Object({ code: Code }, strict)
export const FactorPassword = Type.Object(
  { password: Type.Optional(Password) },
  { ...strict, description: 'Without a password where one signs in elsewhere and has none here.' },
)
export const FactorRemoval = Type.Object({ password: Type.Optional(Password), code: Code }, strict)
export const FactorBegun = Type.Object(
  {
    secret: Type.String({ description: 'To type into an authenticator.' }),
    uri: Type.String({ description: 'otpauth://…, to show as a QR code.' }),
  },
  strict,
)
export type FactorBegun = Static<typeof FactorBegun>
export const RecoveryCodes = Type.Object(
  { recovery_codes: Type.Array(Type.String(), { description: 'Shown this once; each works once.' }) },
  strict,
)
export type RecoveryCodes = Static<typeof RecoveryCodes>

export const TwoFactorRule = Type.Enum(['nobody', 'admins', 'everybody'])
export type TwoFactorRule = Static<typeof TwoFactorRule>
export const SignInRules = Type.Object(
  { two_factor: TwoFactorRule },
  { ...strict, description: 'two_factor: who has to have a second factor to do anything but turn one on.' },
)
export type SignInRules = Static<typeof SignInRules>

export const PasswordBody = Type.Object({ current: Password, new: NewPassword }, strict)

const MostApps = Type.Integer({
  minimum: 0,
  maximum: 1_000_000,
  description: 'So many apps they may own; null: any number.',
})

export const PersonDocument = Type.Object(
  {
    id: Id,
    name: PersonName,
    email: Email,
    role: Type.Union([RoleName, Type.Null()], { description: 'Everywhere; null: only what projects give.' }),
    two_factor: Type.Boolean(),
    invited: Type.Boolean({ description: 'There is a code with which they choose a password.' }),
    disabled: Type.Boolean(),
    most_apps: Nullable(MostApps),
    created_at: Time,
  },
  strict,
)
export type PersonDocument = Static<typeof PersonDocument>
export const PersonList = Type.Object({ items: Type.Array(PersonDocument) }, strict)

export const NewPerson = Type.Object(
  { name: PersonName, email: Email, role: Type.Optional(Type.Union([RoleName, Type.Null()])) },
  strict,
)
export const PersonChange = Type.Object(
  {
    name: Type.Optional(PersonName),
    role: Type.Optional(Type.Union([RoleName, Type.Null()])),
    disabled: Type.Optional(Type.Boolean()),
    most_apps: Type.Optional(Nullable(MostApps)),
  },
  { ...strict, minProperties: 1 },
)

export const InvitationDocument = Type.Object(
  {
    code: Type.String({ description: 'Shown this once.' }),
    expires_at: Time,
    url: Type.String({ description: 'Where they choose a password; it holds the code.' }),
  },
  strict,
)
export type InvitationDocument = Static<typeof InvitationDocument>
export const AddedPerson = Type.Object({ person: PersonDocument, invitation: InvitationDocument }, strict)
export type AddedPerson = Static<typeof AddedPerson>
export const AcceptBody = Type.Object({ code: Code, password: NewPassword }, strict)

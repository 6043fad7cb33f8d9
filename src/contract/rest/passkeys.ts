import { type Static, Type } from 'typebox'
import { Nullable, strict, Time } from './fields.ts'
import { FactorPassword } from './people.ts'

/** Keys of devices with which people sign in without a password (WebAuthn). */
export const PasskeyName = Type.String({ pattern: '^[^\\x00-\\x1f\\x7f]{1,100}$' })
const PasskeyId = Type.String({ pattern: '^[A-Za-z0-9_-]{1,1400}$' })

export const PasskeyDocument = Type.Object(
  { id: PasskeyId, name: PasskeyName, created_at: Time, used_at: Nullable(Time) },
  strict,
)
export type PasskeyDocument = Static<typeof PasskeyDocument>
export const PasskeyList = Type.Object({ items: Type.Array(PasskeyDocument) }, strict)
export type PasskeyList = Static<typeof PasskeyList>
export const PasskeyPath = Type.Object({ passkey: PasskeyId }, strict)

/** As browsers take them: PublicKeyCredential.parseCreationOptionsFromJSON and parseRequestOptionsFromJSON. */
export const PasskeyOptions = Type.Object(
  { options: Type.Unknown({ description: 'For the browser, as WebAuthn has them in JSON.' }) },
  strict,
)
export type PasskeyOptions = Static<typeof PasskeyOptions>
export const PasskeyBegin = FactorPassword

/** What the browser says: PublicKeyCredential.toJSON(). Its parts are checked where they are read. */
const Response = Type.Object(
  {
    id: PasskeyId,
    rawId: PasskeyId,
    type: Type.Literal('public-key'),
    response: Type.Record(Type.String({ maxLength: 100 }), Type.Unknown(), { maxProperties: 20 }),
    clientExtensionResults: Type.Record(Type.String({ maxLength: 100 }), Type.Unknown(), {
      maxProperties: 20,
    }),
    authenticatorAttachment: Type.Optional(Nullable(Type.String({ maxLength: 100 }))),
  },
  { additionalProperties: true },
)

export const NewPasskey = Type.Object({ name: PasskeyName, response: Response }, strict)
export type NewPasskey = Static<typeof NewPasskey>
export const PasskeySignIn = Type.Object({ response: Response }, strict)

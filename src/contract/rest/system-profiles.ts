import { type Static, Type } from 'typebox'
import { strict } from './fields.ts'

export const ProfileName = Type.String({
  pattern: '^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$',
  description: 'Of a profile: what is installed at the first start. Without one: "default".',
})
const Packages = Type.Array(Type.String({ pattern: '^[a-z0-9][a-z0-9+.-]{1,79}$' }), {
  maxItems: 50,
  uniqueItems: true,
  description: 'Names of Debian packages. openssh-server is one anyway, where the image has no SSH server.',
})
export const ProfileDocument = Type.Object({ name: ProfileName, packages: Type.Array(Type.String()) }, strict)
export const ProfileList = Type.Object({ items: Type.Array(ProfileDocument) }, strict)
export type ProfileList = Static<typeof ProfileList>
export const ProfilePath = Type.Object({ profile: ProfileName }, strict)
export const ProfileBody = Type.Object({ packages: Packages }, strict)
export type ProfileBody = Static<typeof ProfileBody>

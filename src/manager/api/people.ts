import { Type } from 'typebox'
import { Id, strict } from '#contract/rest/fields.ts'
import {
  AddedPerson,
  InvitationDocument,
  NewPerson,
  PersonChange,
  PersonDocument,
  PersonList,
} from '#contract/rest/people.ts'
import {
  addPerson,
  changePerson,
  type Invitation,
  invite,
  listPeople,
  removePerson,
} from '#manager/people/manage.ts'
import type { Person } from '#manager/people/sessions.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { letIn, removeKeysOf } from '#manager/systems/keys.ts'
import { speakerOf } from './authenticate.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const PersonPath = Type.Object({ person: Id }, strict)
const tags = ['people']

/** Who has an account. */
export function peopleRoutes(api: Api, parts: ApiParts): void {
  const { db, config } = parts

  function invitationDocument({ code, until }: Invitation): InvitationDocument {
    // After "#", so that it stays out of the logs of proxies.
    return { code, expires_at: timeText(until), url: `${config.publicUrl}/invitation#${code}` }
  }

  api.get(
    '/people',
    { schema: { summary: 'List who has an account', tags, response: { 200: PersonList } } },
    async () => ({ items: (await listPeople(db)).map(personDocument) }),
  )

  api.post(
    '/people',
    {
      schema: {
        summary: 'Make an account',
        description: 'Its owner chooses a password with the code of the answer, within three days.',
        tags,
        body: NewPerson,
        response: { 201: AddedPerson },
      },
    },
    async ({ body }, reply) => {
      const { person, invitation } = await addPerson(parts, { ...body, role: body.role ?? null })
      return reply
        .code(201)
        .send({ person: personDocument(person), invitation: invitationDocument(invitation) })
    },
  )

  api.patch(
    '/people/:person',
    {
      schema: {
        summary: 'Change the name or the role of a person, or lock the account',
        tags,
        params: PersonPath,
        body: PersonChange,
        response: { 200: PersonDocument },
      },
    },
    async request => {
      const { params, body } = request
      const person = await inTransaction(db, async inside => {
        const changed = await changePerson({ ...parts, db: inside }, params.person, body)
        if (body.disabled !== undefined) {
          // Their SSH keys open no system while they are locked out.
          await letIn({ ...parts, db: inside }, { owner: changed.id, by: speakerOf(request).name })
        }
        return changed
      })
      parts.queue.wake()
      return personDocument(person)
    },
  )

  api.delete(
    '/people/:person',
    {
      schema: {
        summary: 'Remove an account with its sessions, tokens and SSH keys',
        tags,
        params: PersonPath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { person } = request.params
      await inTransaction(db, async inside => {
        await removePerson(inside, person)
        await removeKeysOf({ ...parts, db: inside }, { owner: person, by: speakerOf(request).name })
      })
      parts.queue.wake()
      return reply.code(204).send(null)
    },
  )

  api.post(
    '/people/:person/invitation',
    {
      schema: {
        summary: 'Let a person choose a new password',
        description: 'Using the code also turns their second factor off.',
        tags,
        params: PersonPath,
        response: { 201: InvitationDocument },
      },
    },
    async ({ params }, reply) => reply.code(201).send(invitationDocument(await invite(parts, params.person))),
  )
}

function personDocument(person: Person): PersonDocument {
  return {
    id: person.id,
    name: person.name,
    email: person.email,
    role: person.role,
    two_factor: person.totp_at !== null,
    invited: person.invitation_hash !== null,
    disabled: person.disabled_at !== null,
    most_apps: person.most_apps,
    created_at: timeText(person.created_at),
  }
}

import { Type } from 'typebox'
import {
  AddressListDetail,
  type AddressListDocument,
  AddressListName,
  AddressListSource,
  AddressLists,
} from '#contract/rest/address-lists.ts'
import { strict } from '#contract/rest/fields.ts'
import {
  type AddressListRow,
  listAddressLists,
  putAddressList,
  readAddressList,
  refreshAddressList,
  removeAddressList,
  usersOfLists,
} from '#manager/firewall/address-lists.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const ListPath = Type.Object({ list: AddressListName }, strict)
const tags = ['hosts']

/** Named lists of addresses, for which apps can have ports opened. */
export function addressListRoutes(api: Api, parts: ApiParts): void {
  async function detailOf(row: AddressListRow): Promise<AddressListDetail> {
    return {
      ...documentOf(row, await usersOfLists(parts.db)),
      networks: JSON.parse(row.networks) as string[],
    }
  }

  api.get(
    '/firewall/lists',
    {
      schema: {
        summary: 'List the named lists of addresses that the firewall knows',
        tags,
        response: { 200: AddressLists },
      },
    },
    async () => {
      const users = await usersOfLists(parts.db)
      return { items: (await listAddressLists(parts.db)).map(row => documentOf(row, users)) }
    },
  )

  api.get(
    '/firewall/lists/:list',
    {
      schema: {
        summary: 'One list, with its networks',
        tags,
        params: ListPath,
        response: { 200: AddressListDetail },
      },
    },
    async ({ params }) => await detailOf(await readAddressList(parts.db, params.list)),
  )

  api.put(
    '/firewall/lists/:list',
    {
      schema: {
        summary: 'Make a list of what somebody publishes, or read it elsewhere from now on',
        description:
          'It is read at once, and then every six hours. Private and reserved networks, and ones larger than a /8 (IPv6: /16), are refused with the whole list.',
        tags,
        params: ListPath,
        body: AddressListSource,
        response: { 200: AddressListDetail },
      },
    },
    async ({ params, body }) => await detailOf(await putAddressList(parts, params.list, body)),
  )

  api.post(
    '/firewall/lists/:list/refresh',
    {
      schema: {
        summary: 'Read a list anew',
        description: 'When that does not work, the networks of before hold and "problem" says why.',
        tags,
        params: ListPath,
        response: { 200: AddressListDetail },
      },
    },
    async ({ params }) => await detailOf(await refreshAddressList(parts, params.list)),
  )

  api.delete(
    '/firewall/lists/:list',
    {
      schema: {
        summary: 'Remove a list for which no port is open',
        tags,
        params: ListPath,
        response: { 204: Type.Null() },
      },
    },
    async ({ params }, reply) => {
      await removeAddressList(parts.db, params.list)
      return reply.code(204).send(null)
    },
  )
}

function documentOf(row: AddressListRow, users: ReadonlyMap<string, readonly string[]>): AddressListDocument {
  return {
    name: row.name,
    source: JSON.parse(row.source) as AddressListSource,
    count: (JSON.parse(row.networks) as string[]).length,
    fetched_at: timeText(row.fetched_at),
    asked_at: timeText(row.asked_at),
    problem: row.problem,
    used_by: [...(users.get(row.name) ?? [])],
  }
}

import { Type } from 'typebox'
import { Name, strict } from '#contract/rest/fields.ts'
import {
  ItemBody,
  ItemKind,
  MemberBody,
  NewProject,
  ProjectDetail,
  ProjectList,
} from '#contract/rest/projects.ts'
import {
  addProject,
  listProjects,
  readProject,
  removeItem,
  removeProject,
  setItem,
  setMember,
} from '#manager/people/projects.ts'
import { speakerOf } from './authenticate.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const ProjectPath = Type.Object({ project: Name }, strict)
const ItemPath = Type.Object({ project: Name, kind: ItemKind, name: Name }, strict)
const tags = ['projects']

/** Teams: who does what with which apps and repositories. */
export function projectRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts

  api.get(
    '/projects',
    { schema: { summary: 'List the projects that you see', tags, response: { 200: ProjectList } } },
    async request => ({ items: await listProjects(db, speakerOf(request)) }),
  )

  api.post(
    '/projects',
    { schema: { summary: 'Make a project', tags, body: NewProject, response: { 201: ProjectDetail } } },
    async ({ body }, reply) => {
      await addProject(parts, body.name)
      return reply.code(201).send(await readProject(db, body.name))
    },
  )

  api.get(
    '/projects/:project',
    {
      schema: {
        summary: 'Read a project with its members, apps and repositories',
        tags,
        params: ProjectPath,
        response: { 200: ProjectDetail },
      },
    },
    async ({ params }) => await readProject(db, params.project),
  )

  api.delete(
    '/projects/:project',
    {
      schema: {
        summary: 'Remove a project; its apps and repositories stay',
        tags,
        params: ProjectPath,
        response: { 204: Type.Null() },
      },
    },
    async ({ params }, reply) => {
      await removeProject(db, params.project)
      return reply.code(204).send(null)
    },
  )

  api.put(
    '/projects/:project/members',
    {
      schema: {
        summary: 'Give a person a role in a project, or none',
        tags,
        params: ProjectPath,
        body: MemberBody,
        response: { 200: ProjectDetail },
      },
    },
    async ({ params, body }) => {
      await setMember(db, params.project, body)
      return await readProject(db, params.project)
    },
  )

  api.put(
    '/projects/:project/items',
    {
      schema: {
        summary: 'Bring an app or a repository into a project, and say who owns it',
        description: 'The apps of a repository are where it is, unless they were brought elsewhere.',
        tags,
        params: ProjectPath,
        body: ItemBody,
        response: { 200: ProjectDetail },
      },
    },
    async ({ params, body }) => {
      await setItem(db, params.project, body)
      return await readProject(db, params.project)
    },
  )

  api.delete(
    '/projects/:project/items/:kind/:name',
    {
      schema: {
        summary: 'Take an app or a repository out of a project',
        tags,
        params: ItemPath,
        response: { 204: Type.Null() },
      },
    },
    async ({ params: { project, kind, name } }, reply) => {
      await removeItem(db, project, kind, name)
      return reply.code(204).send(null)
    },
  )
}

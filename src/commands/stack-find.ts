import { Type } from 'typebox'
import { defineCommand } from './command.ts'
import { StackName, stackFolder } from './stack-folder.ts'

const strict = { additionalProperties: false } as const

export const stackFind = defineCommand({
  name: 'stack.find',
  summary: 'Tells whether this host has the folder of a stack.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({ stack: StackName }, strict),
  result: Type.Object({ found: Type.Boolean() }, strict),
  deadlineMs: 10_000,
  async run(hands, { stack }) {
    return { found: (await stackFolder(hands, stack)) !== undefined }
  },
})

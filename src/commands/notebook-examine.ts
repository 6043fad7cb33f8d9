import { defineCommand } from './command.ts'
import { NotebookExamined, NotebookWish } from './notebook-data.ts'

export const notebookExamine = defineCommand({
  name: 'notebook.examine',
  summary: 'Tells what the images of a notebook project are made of, what forbids them, and which are there.',
  role: 'worker',
  looksOnly: true,
  data: NotebookWish,
  result: NotebookExamined,
  deadlineMs: 60_000,
  async run(hands, data) {
    // Few hosts have notebooks: a worker without any does without the recipes.
    const { examineProject } = await import('./notebook-look.ts')
    return examineProject(hands, data)
  },
})

/** What the command line reads when it talks to a manager; settings.ts has the rest. */
export const CLIENT_SETTINGS = [
  {
    name: 'FAIRLEAD_MANAGER',
    of: ['client'],
    means: 'address of the manager that commands talk to',
    default: '`http://127.0.0.1:7400`',
  },
  {
    name: 'FAIRLEAD_TOKEN',
    of: ['client'],
    means: 'the token itself; wins over the file',
    default: 'none',
    value: 'secret',
  },
  {
    name: 'FAIRLEAD_TOKEN_FILE',
    of: ['client'],
    means: 'file with the token',
    default: '`admin-token` in the data folder, for the manager that `up` starts there and for no other',
    value: 'path',
  },
  {
    name: 'FAIRLEAD_ID_TOKEN',
    of: ['client'],
    means: 'ID token of a CI job, which is exchanged for a token where none is set; docs/ci.md',
    default: 'in GitHub Actions the one that the job may ask for',
    value: 'secret',
  },
  {
    name: 'FAIRLEAD_AUDIENCE',
    of: ['client'],
    means: 'what the ID token of a job of GitHub Actions is made for',
    default: 'the address of the manager',
  },
] as const

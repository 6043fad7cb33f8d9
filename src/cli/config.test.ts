import { deepEqual, equal, match, notEqual } from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { readCliConfig } from './config.ts'

test('an option wins over its variable, a variable over the usual value', () => {
  const environment = {
    HOME: '/home/ada',
    FAIRLEAD_MANAGER: 'https://a.example.org/',
    FAIRLEAD_DATA: '/srv/a',
  }
  equal(readCliConfig({}, { HOME: '/home/ada' }).managerUrl, 'http://127.0.0.1:7400')
  equal(readCliConfig({}, environment).managerUrl, 'https://a.example.org')
  equal(readCliConfig({ manager: 'http://b:1' }, environment).managerUrl, 'http://b:1')
  equal(readCliConfig({}, { HOME: '/home/ada' }).tokenFile, '/home/ada/.local/share/fairlead/admin-token')
  equal(readCliConfig({}, environment).tokenFile, '/srv/a/admin-token')
  equal(readCliConfig({ data: '/srv/b' }, environment).tokenFile, '/srv/b/admin-token')
  equal(readCliConfig({ data: '/srv/b' }, environment).environment.FAIRLEAD_DATA, '/srv/b')
})

test('a login is that of one manager, and is not asked for where another token is named', () => {
  const environment = { FAIRLEAD_DATA: '/srv/a', FAIRLEAD_MANAGER: 'https://a.example.org/' }
  const { loginFile } = readCliConfig({}, environment)
  match(String(loginFile), /^\/srv\/a\/logins\/[0-9a-f]{16}$/)
  notEqual(readCliConfig({ manager: 'https://b.example.org' }, environment).loginFile, loginFile)
  equal(readCliConfig({ tokenFile: '/x' }, environment).loginFile, undefined)
  equal(readCliConfig({}, { ...environment, FAIRLEAD_ID_TOKEN: 'a.b.c' }).loginFile, undefined)
})

test('a relative path counts from the folder of the caller, whatever folder a part works in', () => {
  const { environment, dataFolder } = readCliConfig(
    {},
    { FAIRLEAD_DATA: 'data', FAIRLEAD_REGISTRY_CA_FILE: 'ca.pem', FAIRLEAD_REGISTRY: 'a/b' },
  )
  equal(dataFolder, resolve('data'))
  equal(environment.FAIRLEAD_REGISTRY_CA_FILE, resolve('ca.pem'))
  equal(environment.FAIRLEAD_REGISTRY, 'a/b')
})

test('an empty variable is one that is not set', () => {
  const { managerUrl, token, environment } = readCliConfig(
    {},
    { FAIRLEAD_MANAGER: '', FAIRLEAD_TOKEN: '', FAIRLEAD_REGISTRY_CA_FILE: '' },
  )
  equal(managerUrl, 'http://127.0.0.1:7400')
  equal(token, undefined)
  equal('FAIRLEAD_REGISTRY_CA_FILE' in environment, false)
})

test('R102 a secret that is set and empty stays so, for the manager to refuse', () => {
  const { environment } = readCliConfig({}, { HOME: '/home/ada', DEPLOY_SECRET: '', STACKS_ROOT: '', TZ: '' })
  deepEqual([environment.DEPLOY_SECRET, environment.STACKS_ROOT, environment.TZ], ['', '', undefined])
})

import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Started, secretsClient, worlds } from './worlds.ts';

for (const world of worlds) {
  describe.skipIf(world.missing)(`Secrets Manager ${world.title}`, () => {
    let started: Started;
    let client: SecretsManagerClient;
    beforeAll(async () => {
      started = await world.start();
      client = secretsClient(started.secretsManager);
    }, 30_000);
    afterAll(async () => {
      client?.destroy();
      await started?.stop();
    });

    const newName = (): string => `broker/${randomUUID()}`;
    const create = async (SecretString?: string) => {
      const token = randomUUID();
      const { ARN = '', Name = '' } = await client.send(
        new CreateSecretCommand({ Name: newName(), ClientRequestToken: token, ...(SecretString && { SecretString }) }),
      );
      return { arn: ARN, name: Name, first: token };
    };
    const put = (SecretId: string, SecretString: string, token: string = randomUUID(), VersionStages?: string[]) =>
      client.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken: token, VersionStages }));
    const read = async (SecretId: string, which: { VersionId?: string; VersionStage?: string } = {}) =>
      (await client.send(new GetSecretValueCommand({ SecretId, ...which }))).SecretString;
    const describeSecret = (SecretId: string) => client.send(new DescribeSecretCommand({ SecretId }));
    /** The versions that have labels, with them. */
    const stages = async (SecretId: string) => {
      const { VersionIdsToStages = {} } = await describeSecret(SecretId);
      return Object.fromEntries(Object.entries(VersionIdsToStages).filter(([, labels]) => labels.length > 0));
    };

    test('a secret that was created is read by its name, its ARN, and its ARN without the random characters', async () => {
      const { arn, name } = await create('one');
      expect(arn).toMatch(/^arn:aws:secretsmanager:us-east-1:\d{12}:secret:broker\/[0-9a-f-]{36}-[A-Za-z0-9]{6}$/);
      expect(await read(name)).toBe('one');
      expect(await read(arn)).toBe('one');
      expect(await read(arn.slice(0, -7))).toBe('one');
    });

    test('the client request token is the version id, and the first version is AWSCURRENT', async () => {
      const { name, first } = await create('one');
      const read = await client.send(new GetSecretValueCommand({ SecretId: name }));
      expect(read).toMatchObject({
        Name: name,
        VersionId: first,
        VersionStages: ['AWSCURRENT'],
        CreatedDate: expect.any(Date),
      });
    });

    test('a secret without a value has no version until one is put', async () => {
      const { name } = await create();
      await expect(read(name)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
      await put(name, 'one');
      expect(await read(name)).toBe('one');
    });

    test('creating again with the same token and value succeeds, with another value or token it does not', async () => {
      const { arn, name, first } = await create('one');
      const again = await client.send(
        new CreateSecretCommand({ Name: name, ClientRequestToken: first, SecretString: 'one' }),
      );
      expect(again).toMatchObject({ ARN: arn });
      const other = client.send(
        new CreateSecretCommand({ Name: name, ClientRequestToken: first, SecretString: 'two' }),
      );
      await expect(other).rejects.toMatchObject({ name: 'ResourceExistsException' });
      const fresh = client.send(
        new CreateSecretCommand({ Name: name, ClientRequestToken: randomUUID(), SecretString: 'one' }),
      );
      await expect(fresh).rejects.toMatchObject({ name: 'ResourceExistsException' });
    });

    test('putting moves AWSCURRENT to the new version and AWSPREVIOUS to the one before', async () => {
      const { name, first } = await create('one');
      const [second, third] = [randomUUID(), randomUUID()];
      await put(name, 'two', second);
      expect(await stages(name)).toEqual({ [second]: ['AWSCURRENT'], [first]: ['AWSPREVIOUS'] });
      await put(name, 'three', third);
      expect(await stages(name)).toEqual({ [third]: ['AWSCURRENT'], [second]: ['AWSPREVIOUS'] });
      expect(await read(name, { VersionStage: 'AWSPREVIOUS' })).toBe('two');
    });

    world.testWrongInMoto('a description leaves out versions without a label', async () => {
      const { name, first } = await create('one');
      await put(name, 'two');
      await put(name, 'three');
      expect((await describeSecret(name)).VersionIdsToStages).not.toHaveProperty(first);
    });

    test('a version without a label is still read by its id', async () => {
      const { name, first } = await create('one');
      await put(name, 'two');
      await put(name, 'three');
      expect(await read(name, { VersionId: first })).toBe('one');
    });

    test('putting the same token and value again changes nothing, also when newer versions followed', async () => {
      const { name, first } = await create('one');
      const second = randomUUID();
      await put(name, 'two', second);
      await put(name, 'two', second);
      expect(await stages(name)).toEqual({ [second]: ['AWSCURRENT'], [first]: ['AWSPREVIOUS'] });
    });

    test('putting an old version again does not make it current', async () => {
      const { name, first } = await create('one');
      await put(name, 'two');
      await put(name, 'one', first);
      expect(await read(name)).toBe('two');
    });

    test('putting another value under a token that is used fails and keeps the first value', async () => {
      const { name, first } = await create('one');
      await expect(put(name, 'two', first)).rejects.toMatchObject({ name: 'ResourceExistsException' });
      expect(await read(name, { VersionId: first })).toBe('one');
    });

    test('of writers that race with different values under one token, exactly one succeeds', async () => {
      const { name } = await create('one');
      const token = randomUUID();
      const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e', 'f'].map((value) => put(name, value, token)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    test('a version put under another label leaves AWSCURRENT where it is', async () => {
      const { name, first } = await create('one');
      const second = randomUUID();
      await put(name, 'two', second, ['AWSPENDING']);
      expect(await stages(name)).toEqual({ [first]: ['AWSCURRENT'], [second]: ['AWSPENDING'] });
      expect(await read(name)).toBe('one');
    });

    test('a label moves only when its holder is named', async () => {
      const { name, first } = await create('one');
      const second = randomUUID();
      await put(name, 'two', second, ['AWSPENDING']);
      const move = (RemoveFromVersionId?: string) =>
        client.send(
          new UpdateSecretVersionStageCommand({
            SecretId: name,
            VersionStage: 'AWSCURRENT',
            MoveToVersionId: second,
            RemoveFromVersionId,
          }),
        );
      await expect(move()).rejects.toMatchObject({ name: 'InvalidParameterException' });
      await expect(move(second)).rejects.toMatchObject({ name: 'InvalidParameterException' });
      await move(first);
      expect(await stages(name)).toEqual({
        [second]: expect.arrayContaining(['AWSCURRENT']),
        [first]: ['AWSPREVIOUS'],
      });
    });

    world.testWrongInMoto('after a label was moved, a read without version or label sees the new version', async () => {
      const { name, first } = await create('one');
      const second = randomUUID();
      await put(name, 'two', second, ['AWSPENDING']);
      await client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: name,
          VersionStage: 'AWSCURRENT',
          MoveToVersionId: second,
          RemoveFromVersionId: first,
        }),
      );
      expect(await read(name)).toBe('two');
    });

    test('version id and label of one read must belong together', async () => {
      const { name, first } = await create('one');
      const second = randomUUID();
      await put(name, 'two', second);
      expect(await read(name, { VersionId: first, VersionStage: 'AWSPREVIOUS' })).toBe('one');
      await expect(read(name, { VersionId: first, VersionStage: 'AWSCURRENT' })).rejects.toMatchObject({
        name: 'InvalidRequestException',
      });
    });

    test('what does not exist is not found', async () => {
      const { name } = await create('one');
      const notFound = { name: 'ResourceNotFoundException' };
      await expect(read('broker/none')).rejects.toMatchObject(notFound);
      await expect(put('broker/none', 'one')).rejects.toMatchObject(notFound);
      await expect(read(name, { VersionId: randomUUID() })).rejects.toMatchObject(notFound);
      await expect(read(name, { VersionStage: 'AWSPENDING' })).rejects.toMatchObject(notFound);
    });

    test('a secret that is to be deleted cannot be read until it is restored', async () => {
      const { name } = await create('one');
      const { DeletionDate } = await client.send(new DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: 7 }));
      expect(DeletionDate?.getTime()).toBeGreaterThan(Date.now() + 6.9 * 86_400_000);
      expect(DeletionDate?.getTime()).toBeLessThan(Date.now() + 7.1 * 86_400_000);
      await expect(read(name)).rejects.toMatchObject({ name: 'InvalidRequestException' });
      expect((await describeSecret(name)).DeletedDate).toEqual(DeletionDate);
      await client.send(new RestoreSecretCommand({ SecretId: name }));
      expect(await read(name)).toBe('one');
    });

    world.testWrongInMoto('a secret that is to be deleted takes no new value', async () => {
      const { name } = await create('one');
      await client.send(new DeleteSecretCommand({ SecretId: name }));
      await expect(put(name, 'two')).rejects.toMatchObject({ name: 'InvalidRequestException' });
    });

    world.testWrongInMoto('the name of a secret that is to be deleted is not free yet', async () => {
      const { name } = await create('one');
      await client.send(new DeleteSecretCommand({ SecretId: name }));
      await expect(client.send(new CreateSecretCommand({ Name: name, SecretString: 'two' }))).rejects.toMatchObject({
        name: 'InvalidRequestException',
      });
    });

    test('a secret deleted without recovery is gone, and its name is given to another ARN', async () => {
      const { arn, name } = await create('one');
      await client.send(new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }));
      await expect(read(name)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
      const again = await client.send(new CreateSecretCommand({ Name: name, SecretString: 'two' }));
      expect(again.ARN).not.toBe(arn);
      await client.send(new DeleteSecretCommand({ SecretId: 'broker/none', ForceDeleteWithoutRecovery: true }));
    });

    test('recovery takes 7 to 30 days, and excludes deletion at once', async () => {
      const { name } = await create('one');
      const remove = (days: number, ForceDeleteWithoutRecovery?: boolean) =>
        client.send(
          new DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: days, ForceDeleteWithoutRecovery }),
        );
      const refused = { name: 'InvalidParameterException' };
      await expect(remove(6)).rejects.toMatchObject(refused);
      await expect(remove(31)).rejects.toMatchObject(refused);
      await expect(remove(7, true)).rejects.toMatchObject(refused);
      await remove(30);
    });

    test('a client request token has 32 to 64 characters', async () => {
      const { name } = await create('one');
      const refused = { name: 'InvalidParameterException' };
      await expect(put(name, 'two', 'a'.repeat(31))).rejects.toMatchObject(refused);
      await expect(put(name, 'two', 'a'.repeat(65))).rejects.toMatchObject(refused);
      await put(name, 'two', 'a'.repeat(32));
      await put(name, 'three', 'a'.repeat(64));
      expect(await read(name)).toBe('three');
    });

    test('a value of 65,536 bytes is kept', async () => {
      const { name } = await create('a'.repeat(65_536));
      expect(await read(name)).toHaveLength(65_536);
    });

    world.testWrongInMoto(
      'a value of more than 65,536 bytes is refused, counted in bytes, not in characters',
      async () => {
        const { name } = await create('one');
        await expect(put(name, 'a'.repeat(65_537))).rejects.toMatchObject({ name: 'ValidationException' });
        await expect(put(name, 'é'.repeat(32_769))).rejects.toMatchObject({ name: 'ValidationException' });
        expect(await read(name)).toBe('one');
      },
    );

    world.testWrongInMoto('a name has only letters, digits and -/_+=.@!', async () => {
      await expect(
        client.send(new CreateSecretCommand({ Name: 'two words', SecretString: 'one' })),
      ).rejects.toMatchObject({
        name: 'InvalidParameterException',
      });
    });
  });
}

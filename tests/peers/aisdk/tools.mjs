// The tools of the assistant. Reading ones run by themselves; writing ones are decided by `gate`:
// kai-assistant marks them with the SDK's own `needsApproval`, kai-agent makes `execute` wait.

import { dynamicTool, tool } from 'ai';
import { z } from 'zod';

export const WRITES = ['create_bucket', 'run_job', 'update_descriptions', 'ask_user'];

export function makeTools(project, gate) {
  const writing = (name, run) => gate(name, run);
  return {
    get_tables: tool({
      description: 'Lists tables',
      inputSchema: z.object({ bucket_ids: z.array(z.string()).optional() }),
      execute: async () => [{ id: 'in.c-crm.orders', rows: 12 }],
    }),
    query_data: tool({
      title: 'Ask the project',
      inputSchema: z.object({ sql_query: z.string(), query_name: z.string() }),
      execute: async ({ query_name }) => ({ query_name, csv: 'a,b\n1,2\n' }),
    }),
    // As the tools of an MCP server are.
    docs_query: dynamicTool({
      inputSchema: z.object({ query: z.string() }),
      execute: async ({ query }) => ({ content: [{ type: 'text', text: `About ${query}` }], isError: false }),
    }),
    broken_tool: tool({
      inputSchema: z.object({}),
      execute: async () => {
        throw new Error('SQL compilation error: no such table');
      },
    }),
    progress: tool({
      inputSchema: z.object({ steps: z.number() }),
      async *execute({ steps }, { abortSignal }) {
        for (let done = 0; done < steps; done++) {
          abortSignal?.throwIfAborted();
          yield { status: 'loading', done };
          await new Promise(resolve => setTimeout(resolve, 10));
        }
        yield { status: 'ready', done: steps };
      },
    }),
    create_bucket: tool({
      title: 'Create a bucket',
      inputSchema: z.object({ name: z.string(), stage: z.enum(['in', 'out']).default('in') }),
      ...writing('create_bucket', async ({ name, stage }) => {
        project.buckets.push(`${stage}.c-${name}`);
        return { id: `${stage}.c-${name}` };
      }),
    }),
    run_job: tool({
      inputSchema: z.object({ component_id: z.string(), configuration_id: z.string() }),
      ...writing('run_job', async input => {
        if (input.configuration_id === 'missing') throw new Error('There is no such configuration.');
        if (input.configuration_id === 'slow') await new Promise(resolve => setTimeout(resolve, 400));
        project.jobs.push(input);
        return { job_id: String(project.jobs.length), status: 'created' };
      }),
    }),
    update_descriptions: dynamicTool({
      inputSchema: z.object({ updates: z.array(z.record(z.string(), z.string())) }),
      ...writing('update_descriptions', async ({ updates }) => ({ updated: updates.length })),
    }),
    ask_user: tool({
      inputSchema: z.object({ question: z.string(), options: z.array(z.string()) }),
      ...writing('ask_user', async (_input, answers) => ({ answers: answers ?? null })),
    }),
  };
}

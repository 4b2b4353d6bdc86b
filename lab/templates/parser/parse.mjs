// Parses workflow files with the parser that GitHub publishes of its own. It prints what is wrong with each as one JSON object,
// {"file": ["(Line: 1, Col: 2): …"]}:
//
//   node parse.mjs PACKAGES FILE…
//
// PACKAGES is the folder in which package.json's were installed.
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { pathToFileURL } from "node:url";

register("./json.mjs", import.meta.url);
const [packages, ...files] = process.argv.slice(2);
const { parseWorkflow, convertWorkflowTemplate, NoOperationTraceWriter } = await import(
  pathToFileURL(`${packages}/node_modules/@actions/workflow-parser/dist/index.js`)
);

const problems = {};
for (const file of files) {
  const parsed = parseWorkflow({ name: file, content: readFileSync(file, "utf8") }, new NoOperationTraceWriter());
  const found = parsed.context.errors.getErrors().map((error) => error.message);
  if (found.length === 0) {
    const template = await convertWorkflowTemplate(parsed.context, parsed.value);
    found.push(...(template.errors ?? []).map((error) => error.Message));
    if (found.length === 0 && template.jobs.length === 0) found.push("it has no jobs");
  }
  problems[file] = found;
}
console.log(JSON.stringify(problems));

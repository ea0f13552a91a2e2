// baidu-aip-sdk, set up by its keys; its host is fixed, so its own hook leads it here.
// Its methods under the names that they have in Python, with the API's names of the arguments.

import baidu from "baidu-aip-sdk";
import { converse, Picture, SETTINGS } from "./dialogue.mjs";

baidu.HttpClient.setRequestInterceptor((options) => {
  options.url = options.url.replace(/^https?:\/\/aip\.baidubce\.com/, SETTINGS.url);
  return options;
});
const client = new baidu.face("0", SETTINGS.api_key, SETTINGS.secret_key);

const POSITIONAL = {
  detect: ["image", "image_type"],
  search: ["image", "image_type", "group_id_list"],
  addUser: ["image", "image_type", "group_id", "user_id"],
  updateUser: ["image", "image_type", "group_id", "user_id"],
  getUser: ["user_id", "group_id"],
  deleteUser: ["group_id", "user_id"],
  userCopy: ["user_id"],
  faceGetlist: ["user_id", "group_id"],
  faceDelete: ["user_id", "group_id", "face_token"],
  groupAdd: ["group_id"],
  groupDelete: ["group_id"],
  getGroupList: [],
  getGroupUsers: ["group_id"],
};
const OTHERWISE_NAMED = { getGroupList: "getGrouplist" };

const inBase64 = (value) => (value instanceof Picture ? value.base64() : value);

function call(method, { image_type = "BASE64", ...others }) {
  const given = { image_type, ...others };
  const positional = POSITIONAL[method].map((name) => inBase64(given[name]));
  const options = Object.fromEntries(Object.entries(others).filter(([name]) => !POSITIONAL[method].includes(name)));
  return client[OTHERWISE_NAMED[method] ?? method](...positional, options);
}

const calls = Object.fromEntries(Object.keys(POSITIONAL).map((method) => [method, (given) => call(method, given)]));
calls.match = ({ images }) =>
  client.match(images.map((image) => ({ image: inBase64(image), image_type: "BASE64" })));

converse(calls);

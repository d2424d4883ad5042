# Made of templates/ by packaging/templates.py. Do not edit.
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'subject.txt'

def root(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    l_0_w = l_0_builtin = missing
    try:
        t_1 = environment.tests['defined']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No test named 'defined' found.")
    pass
    l_0_w = context.vars['w'] = environment.get_template('words.jinja', 'subject.txt').make_module(context.get_all(), True, {'builtin': l_0_builtin, 'w': l_0_w})
    context.exported_vars.discard('w')
    l_0_builtin = context.vars['builtin'] = environment.get_template('builtin/words.jinja', 'subject.txt').make_module(context.get_all(), True, {'builtin': l_0_builtin, 'w': l_0_w})
    context.exported_vars.discard('builtin')
    yield escape(((undefined(name='w') if l_0_w is missing else l_0_w).title_line if t_1((undefined(name='w') if l_0_w is missing else l_0_w).title_line) else (undefined(name='builtin') if l_0_builtin is missing else l_0_builtin).title_line)())
    yield '\n'

blocks = {}
debug_info = '1=20&2=22&3=24'

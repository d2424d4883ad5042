# Made of templates/ by packaging/templates.py. Do not edit.
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'layout.txt'

def root(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    l_0_commands = resolve('commands')
    l_0_w = missing
    pass
    l_0_w = context.vars['w'] = environment.get_template('words.jinja', 'layout.txt').make_module(context.get_all(), True, {'w': l_0_w})
    context.exported_vars.discard('w')
    yield from context.blocks['lead'][0](context)
    yield '\n'
    def t_1(fiter):
        for l_1_command in fiter:
            if (l_1_command.purpose == 'use'):
                yield l_1_command
    for l_1_command in t_1((undefined(name='commands') if l_0_commands is missing else l_0_commands)):
        _loop_vars = {}
        pass
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).purposes[l_1_command.purpose])
        yield ': '
        yield escape(l_1_command.line)
        yield '\n\n'
    l_1_command = missing
    yield from context.blocks['lines'][0](context)
    def t_2(fiter):
        for l_1_command in fiter:
            if (l_1_command.purpose not in ['approve', 'deny', 'use']):
                yield l_1_command
    for l_1_command in t_2((undefined(name='commands') if l_0_commands is missing else l_0_commands)):
        _loop_vars = {}
        pass
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).purposes[l_1_command.purpose])
        yield ': '
        yield escape(l_1_command.line)
        yield '\n'
    l_1_command = missing
    if (undefined(name='w') if l_0_w is missing else l_0_w).next_step():
        pass
        yield '\n'
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).next_step())
        yield '\n'
    yield '\n'
    yield from context.blocks['details'][0](context)
    yield '\n-- \n'
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).footer())
    yield '\n'

def block_lead(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_w = resolve('w')
    pass
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).lead())
    yield '\n'

def block_lines(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_request = resolve('request')
    l_0_cluster = resolve('cluster')
    l_0_link = resolve('link')
    l_0_page = resolve('page')
    l_0_kind = resolve('kind')
    l_0_commands = resolve('commands')
    l_0_w = resolve('w')
    try:
        t_3 = environment.filters['join']
    except KeyError:
        @internalcode
        def t_3(*unused):
            raise TemplateRuntimeError("No filter named 'join' found.")
    pass
    yield 'ID: '
    yield escape((undefined(name='request') if l_0_request is missing else l_0_request).id)
    yield '\nCluster: '
    yield escape((undefined(name='cluster') if l_0_cluster is missing else l_0_cluster))
    yield '\nUser: '
    yield escape((undefined(name='request') if l_0_request is missing else l_0_request).user)
    yield '\nRole(s): '
    yield escape(t_3(context.eval_ctx, (undefined(name='request') if l_0_request is missing else l_0_request).every_role, ','))
    yield '\n'
    yield from context.blocks['reason'][0](context)
    if ((undefined(name='link') if l_0_link is missing else l_0_link) or ((undefined(name='page') if l_0_page is missing else l_0_page) and ((undefined(name='kind') if l_0_kind is missing else l_0_kind) == 'expired'))):
        pass
        yield 'Link: '
        yield escape((undefined(name='page') if l_0_page is missing else l_0_page))
        yield '\n'
    def t_4(fiter):
        for l_1_command in fiter:
            if (l_1_command.purpose in ['approve', 'deny']):
                yield l_1_command
    for l_1_command in t_4((undefined(name='commands') if l_0_commands is missing else l_0_commands)):
        _loop_vars = {}
        pass
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).purposes[l_1_command.purpose])
        yield ': '
        yield escape(l_1_command.line)
        yield '\n'
    l_1_command = missing
    yield '\n'
    if ((undefined(name='kind') if l_0_kind is missing else l_0_kind) in ['review', 'reminder', 'escalation', 'received', 'ended']):
        pass
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).labels['state'])
        yield ': '
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).state())
        yield '\n'
    else:
        pass
        yield 'Status: '
        yield escape((undefined(name='request') if l_0_request is missing else l_0_request).status)
        if (undefined(name='request') if l_0_request is missing else l_0_request).resolve_reason:
            pass
            yield ' ('
            yield escape((undefined(name='request') if l_0_request is missing else l_0_request).resolve_reason.enclosed)
            yield ')'
        yield '\n'

def block_reason(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_request = resolve('request')
    pass
    if (undefined(name='request') if l_0_request is missing else l_0_request).reason:
        pass
        yield 'Reason: '
        yield escape((undefined(name='request') if l_0_request is missing else l_0_request).reason)
        yield '\n'

def block_details(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_request = resolve('request')
    l_0_w = resolve('w')
    l_0_details = resolve('details')
    try:
        t_5 = environment.filters['length']
    except KeyError:
        @internalcode
        def t_5(*unused):
            raise TemplateRuntimeError("No filter named 'length' found.")
    pass
    if (t_5((undefined(name='request') if l_0_request is missing else l_0_request).every_role) >= 5):
        pass
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).labels['roles'])
        yield ':\n'
        for l_1_role in (undefined(name='request') if l_0_request is missing else l_0_request).every_role:
            _loop_vars = {}
            pass
            yield '  - '
            yield escape(l_1_role)
            yield '\n'
        l_1_role = missing
    def t_6(fiter):
        for l_1_key in fiter:
            if (l_1_key in (undefined(name='w') if l_0_w is missing else l_0_w).labels):
                yield l_1_key
    for l_1_key in t_6((undefined(name='details') if l_0_details is missing else l_0_details)):
        _loop_vars = {}
        pass
        if (l_1_key == 'resources'):
            pass
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).labels['resources'])
            yield ':\n'
            for l_2_resource in (undefined(name='request') if l_0_request is missing else l_0_request).resources:
                _loop_vars = {}
                pass
                yield '  - '
                yield escape((undefined(name='w') if l_0_w is missing else l_0_w).kinds.get(l_2_resource.kind, l_2_resource.kind, ))
                yield ' '
                yield escape(l_2_resource.name)
                if l_2_resource.cluster:
                    pass
                    yield ' ('
                    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).labels['cluster'])
                    yield ' '
                    yield escape(l_2_resource.cluster)
                    yield ')'
                yield '\n'
            l_2_resource = missing
            if (undefined(name='request') if l_0_request is missing else l_0_request).resources_more:
                pass
                yield '  - '
                yield escape((undefined(name='w') if l_0_w is missing else l_0_w).more((undefined(name='request') if l_0_request is missing else l_0_request).resources_more, ))
                yield '\n'
        elif (l_1_key == 'reviews'):
            pass
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).labels['reviews'])
            yield ':\n'
            if (undefined(name='request') if l_0_request is missing else l_0_request).reviews_before:
                pass
                yield '  - '
                yield escape((undefined(name='w') if l_0_w is missing else l_0_w).earlier((undefined(name='request') if l_0_request is missing else l_0_request).reviews_before, ))
                yield '\n'
            for l_2_one in (undefined(name='request') if l_0_request is missing else l_0_request).reviews:
                _loop_vars = {}
                pass
                yield '  - '
                yield escape((undefined(name='w') if l_0_w is missing else l_0_w).reviewed(l_2_one, ))
                yield '\n'
                if l_2_one.reason:
                    pass
                    yield escape(l_2_one.reason.fenced)
                    yield '\n'
            l_2_one = missing
        else:
            pass
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).labels[l_1_key])
            yield ': '
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).fact(l_1_key, ))
            yield '\n'
    l_1_key = missing

blocks = {'lead': block_lead, 'lines': block_lines, 'reason': block_reason, 'details': block_details}
debug_info = '1=15&2=17&6=19&7=26&10=31&34=32&35=39&37=44&39=47&42=50&77=52&2=55&3=66&10=69&11=93&12=95&13=97&14=99&15=101&20=102&21=105&23=107&24=114&27=120&28=122&30=129&15=137&16=148&17=151&42=154&43=173&44=175&45=177&46=181&49=184&50=191&51=193&52=195&53=199&56=211&57=214&59=216&60=218&61=220&62=223&64=225&65=229&66=231&67=233&71=238'

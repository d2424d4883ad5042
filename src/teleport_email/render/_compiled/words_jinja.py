# Made of templates/ by packaging/templates.py. Do not edit.
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'words.jinja'

def root(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    l_0_lang = l_0_states = l_0_kinds = l_0_labels = l_0_purposes = l_0_when = l_0_soon = l_0_count = l_0_listed = l_0_more = l_0_cut = l_0_cut_below = l_0_cut_later = l_0_more_in_text = l_0_continued = l_0_did = l_0_title = l_0_outcome = l_0_lead = l_0_summary = l_0_what = l_0_role_list = l_0_strong = l_0_decision = l_0_next_step = l_0_missing = l_0_fact = l_0_term = l_0_author = l_0_deciders = l_0_access = l_0_approvals = l_0_reviewed = l_0_earlier = l_0_no_reason = l_0_button = l_0_state = l_0_title_line = l_0_preheader = l_0_asks = l_0_briefly = l_0_footer = l_0_list_labels = l_0_list_title = l_0_list_lead = l_0_list_summary = l_0_list_days = l_0_list_members = l_0_list_next_step = l_0_list_button = l_0_list_page = l_0_list_no_link = l_0_list_more = l_0_list_state = l_0_list_preheader = l_0_list_ownerless = l_0_list_footer = missing
    try:
        t_1 = environment.filters['join']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No filter named 'join' found.")
    try:
        t_2 = environment.filters['length']
    except KeyError:
        @internalcode
        def t_2(*unused):
            raise TemplateRuntimeError("No filter named 'length' found.")
    try:
        t_3 = environment.filters['lower']
    except KeyError:
        @internalcode
        def t_3(*unused):
            raise TemplateRuntimeError("No filter named 'lower' found.")
    try:
        t_4 = environment.tests['none']
    except KeyError:
        @internalcode
        def t_4(*unused):
            raise TemplateRuntimeError("No test named 'none' found.")
    pass
    l_0_lang = 'en'
    context.vars['lang'] = l_0_lang
    context.exported_vars.add('lang')
    l_0_states = {'PENDING': 'Pending', 'APPROVED': 'Approved', 'DENIED': 'Denied', 'PROMOTED': 'Promoted', 'EXPIRED': 'Expired', 'ENDED': 'Ended'}
    context.vars['states'] = l_0_states
    context.exported_vars.add('states')
    l_0_kinds = {'node': 'Server', 'db': 'Database', 'app': 'Application', 'kube_cluster': 'Kubernetes cluster', 'kube_resource': 'Kubernetes resource', 'pod': 'Kubernetes pod', 'namespace': 'Kubernetes namespace', 'windows_desktop': 'Windows desktop', 'user_group': 'User group', 'saml_idp_service_provider': 'SAML application', 'aws_ic_account_assignment': 'AWS account assignment', 'git_server': 'Git server'}
    context.vars['kinds'] = l_0_kinds
    context.exported_vars.add('kinds')
    l_0_labels = {'term': 'Term', 'author': 'Author', 'name': 'Name', 'resources': 'Resources', 'asked': 'Asked', 'decide_by': 'Decide by', 'access': 'Access', 'access_list': 'Access list', 'approvals': 'Approvals', 'decided_by': 'Decided by', 'reviews': 'Reviews', 'told': 'Told', 'silent': 'No review yet', 'user': 'User', 'roles': 'Roles', 'reason': 'Reason', 'request_reason': 'Reason for the request', 'id': 'Request', 'cluster': 'Cluster', 'resolve_reason': 'Reason for the decision', 'state': 'State'}
    context.vars['labels'] = l_0_labels
    context.exported_vars.add('labels')
    l_0_purposes = {'approve': 'Approve', 'deny': 'Deny', 'show': 'Show', 'use': 'Use it'}
    context.vars['purposes'] = l_0_purposes
    context.exported_vars.add('purposes')
    yield '\n'
    def macro(l_1_moment):
        t_5 = []
        if l_1_moment is missing:
            l_1_moment = undefined("parameter 'moment' was not provided", name='moment')
        pass
        t_5.append(
            escape(l_1_moment),
        )
        return Markup(concat(t_5))
    context.exported_vars.add('when')
    context.vars['when'] = l_0_when = macro
    yield '\n'
    def macro(l_1_moment):
        t_6 = []
        l_1_now = resolve('now')
        if l_1_moment is missing:
            l_1_moment = undefined("parameter 'moment' was not provided", name='moment')
        pass
        if (l_1_moment.date == (undefined(name='now') if l_1_now is missing else l_1_now).date):
            pass
            t_6.extend((
                escape(l_1_moment.time),
                ' ',
                escape(l_1_moment.offset),
            ))
        else:
            pass
            t_6.append(
                escape(l_1_moment),
            )
        return Markup(concat(t_6))
    context.exported_vars.add('soon')
    context.vars['soon'] = l_0_soon = macro
    yield '\n'
    def macro(l_1_number, l_1_one, l_1_many):
        t_7 = []
        if l_1_number is missing:
            l_1_number = undefined("parameter 'number' was not provided", name='number')
        if l_1_one is missing:
            l_1_one = undefined("parameter 'one' was not provided", name='one')
        if l_1_many is missing:
            l_1_many = undefined("parameter 'many' was not provided", name='many')
        pass
        t_7.extend((
            escape(l_1_number),
            ' ',
            escape((l_1_one if (l_1_number == 1) else l_1_many)),
        ))
        return Markup(concat(t_7))
    context.exported_vars.add('count')
    context.vars['count'] = l_0_count = macro
    yield '\n'
    def macro(l_1_some):
        t_8 = []
        if l_1_some is missing:
            l_1_some = undefined("parameter 'some' was not provided", name='some')
        pass
        t_8.append(
            escape(t_1(context.eval_ctx, l_1_some.items, ', ')),
        )
        if l_1_some.more:
            pass
            t_8.extend((
                ' and ',
                escape(l_1_some.more),
                ' more',
            ))
        return Markup(concat(t_8))
    context.exported_vars.add('listed')
    context.vars['listed'] = l_0_listed = macro
    yield '\n'
    def macro(l_1_number):
        t_9 = []
        if l_1_number is missing:
            l_1_number = undefined("parameter 'number' was not provided", name='number')
        pass
        t_9.extend((
            'and ',
            escape(l_1_number),
            ' more',
        ))
        return Markup(concat(t_9))
    context.exported_vars.add('more')
    context.vars['more'] = l_0_more = macro
    yield '\n'
    def macro(l_1_number):
        t_10 = []
        if l_1_number is missing:
            l_1_number = undefined("parameter 'number' was not provided", name='number')
        pass
        t_10.extend((
            '(',
            escape(l_1_number),
            ' more characters: in the text form of this mail)',
        ))
        return Markup(concat(t_10))
    context.exported_vars.add('cut')
    context.vars['cut'] = l_0_cut = macro
    def macro(l_1_number):
        t_11 = []
        if l_1_number is missing:
            l_1_number = undefined("parameter 'number' was not provided", name='number')
        pass
        t_11.extend((
            '(',
            escape(l_1_number),
            ' more characters below)',
        ))
        return Markup(concat(t_11))
    context.exported_vars.add('cut_below')
    context.vars['cut_below'] = l_0_cut_below = macro
    def macro(l_1_number):
        t_12 = []
        if l_1_number is missing:
            l_1_number = undefined("parameter 'number' was not provided", name='number')
        pass
        t_12.extend((
            '(',
            escape(l_1_number),
            ' more characters: in the first mail of this conversation)',
        ))
        return Markup(concat(t_12))
    context.exported_vars.add('cut_later')
    context.vars['cut_later'] = l_0_cut_later = macro
    def macro(l_1_number):
        t_13 = []
        if l_1_number is missing:
            l_1_number = undefined("parameter 'number' was not provided", name='number')
        pass
        t_13.extend((
            'and ',
            escape(l_1_number),
            ' more, in the text form of this mail',
        ))
        return Markup(concat(t_13))
    context.exported_vars.add('more_in_text')
    context.vars['more_in_text'] = l_0_more_in_text = macro
    def macro(l_1_label):
        t_14 = []
        if l_1_label is missing:
            l_1_label = undefined("parameter 'label' was not provided", name='label')
        pass
        t_14.extend((
            escape(l_1_label),
            ', continued',
        ))
        return Markup(concat(t_14))
    context.exported_vars.add('continued')
    context.vars['continued'] = l_0_continued = macro
    yield '\n'
    def macro(l_1_who, l_1_status, l_1_what):
        t_15 = []
        if l_1_who is missing:
            l_1_who = undefined("parameter 'who' was not provided", name='who')
        if l_1_status is missing:
            l_1_status = undefined("parameter 'status' was not provided", name='status')
        if l_1_what is missing:
            l_1_what = ''
        pass
        t_15.extend((
            escape(l_1_who),
            ' ',
            escape({'APPROVED': 'approved', 'DENIED': 'denied', 'PROMOTED': 'promoted'}.get(l_1_status.name, 'reviewed', )),
        ))
        if l_1_what:
            pass
            t_15.extend((
                ' ',
                escape(l_1_what),
            ))
        if (l_1_status.name == 'PROMOTED'):
            pass
            t_15.append(
                ' to an access list',
            )
        return Markup(concat(t_15))
    context.exported_vars.add('did')
    context.vars['did'] = l_0_did = environment.macro(macro)
    yield '\n'
    def macro():
        t_16 = []
        l_1_kind = resolve('kind')
        l_1_for_requester = resolve('for_requester')
        l_1_request = resolve('request')
        pass
        if ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'announcement'):
            pass
            t_16.append(
                'New access request',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'review'):
            pass
            t_16.append(
                'Access request reviewed',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'reminder'):
            pass
            t_16.append(
                'Access request still waiting',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'escalation'):
            pass
            t_16.append(
                'Access request not decided',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'received'):
            pass
            t_16.append(
                'Your access request was received',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'ended'):
            pass
            t_16.append(
                'Your access has ended',
            )
        elif (undefined(name='for_requester') if l_1_for_requester is missing else l_1_for_requester):
            pass
            t_16.extend((
                'Your access request ',
                escape((undefined(name='outcome') if l_0_outcome is missing else l_0_outcome)()),
            ))
        elif (undefined(name='kind') if l_1_kind is missing else l_1_kind).startswith('announced_', ):
            pass
            t_16.extend((
                'New access request, already ',
                escape(t_3((undefined(name='states') if l_0_states is missing else l_0_states)[(undefined(name='request') if l_1_request is missing else l_1_request).status.name])),
            ))
        else:
            pass
            t_16.extend((
                'Access request ',
                escape((undefined(name='outcome') if l_0_outcome is missing else l_0_outcome)()),
            ))
        return Markup(concat(t_16))
    context.exported_vars.add('title')
    context.vars['title'] = l_0_title = macro
    yield '\n'
    def macro():
        t_17 = []
        l_1_request = resolve('request')
        pass
        if ((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'EXPIRED'):
            pass
            t_17.append(
                'expired',
            )
        elif ((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'PROMOTED'):
            pass
            t_17.append(
                'was promoted to an access list',
            )
        else:
            pass
            t_17.extend((
                'was ',
                escape(t_3((undefined(name='states') if l_0_states is missing else l_0_states)[(undefined(name='request') if l_1_request is missing else l_1_request).status.name])),
            ))
        return Markup(concat(t_17))
    context.exported_vars.add('outcome')
    context.vars['outcome'] = l_0_outcome = macro
    yield '\n'
    def macro():
        t_18 = []
        l_1_kind = resolve('kind')
        l_1_review = resolve('review')
        l_1_for_requester = resolve('for_requester')
        l_1_request = resolve('request')
        pass
        if ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'announcement'):
            pass
            t_18.append(
                'You have a new Role Request:',
            )
        elif ((((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'review') and (undefined(name='review') if l_1_review is missing else l_1_review)) and (undefined(name='review') if l_1_review is missing else l_1_review).at):
            pass
            t_18.extend((
                escape((undefined(name='review') if l_1_review is missing else l_1_review).author),
                ' reviewed the request at ',
                escape((undefined(name='review') if l_1_review is missing else l_1_review).at.short),
                '.',
            ))
        elif (((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'review') and (undefined(name='review') if l_1_review is missing else l_1_review)):
            pass
            t_18.extend((
                escape((undefined(name='review') if l_1_review is missing else l_1_review).author),
                ' reviewed the request.',
            ))
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'review'):
            pass
            t_18.append(
                'The request was reviewed.',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'reminder'):
            pass
            t_18.append(
                'This Role Request is still waiting for a decision:',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'escalation'):
            pass
            t_18.append(
                'Nobody has decided this Role Request, so you are asked as well:',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'received'):
            pass
            t_18.append(
                'Your Role Request was received:',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'ended'):
            pass
            t_18.append(
                'The access that this Role Request gave you has ended:',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'requester_expired'):
            pass
            t_18.append(
                'Nobody decided your Role Request in time, or it was deleted:',
            )
        elif (undefined(name='for_requester') if l_1_for_requester is missing else l_1_for_requester):
            pass
            t_18.extend((
                'Your Role Request ',
                escape((undefined(name='outcome') if l_0_outcome is missing else l_0_outcome)()),
                ':',
            ))
        elif ((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'PROMOTED'):
            pass
            t_18.extend((
                escape(('A new' if (undefined(name='kind') if l_1_kind is missing else l_1_kind).startswith('announced_', ) else 'The')),
                ' Role Request ',
                escape((undefined(name='outcome') if l_0_outcome is missing else l_0_outcome)()),
                ':',
            ))
        else:
            pass
            t_18.append(
                'Role Request has been resolved:',
            )
        return Markup(concat(t_18))
    context.exported_vars.add('lead')
    context.vars['lead'] = l_0_lead = macro
    yield '\n'
    def macro():
        t_19 = []
        l_1_kind = resolve('kind')
        l_1_review = resolve('review')
        l_1_first = resolve('first')
        l_1_for_requester = resolve('for_requester')
        l_1_request = resolve('request')
        l_1_who = missing
        pass
        l_2_details = resolve('details')
        t_20 = []
        pass
        t_20.append(
            escape((undefined(name='first') if l_1_first is missing else l_1_first).user),
        )
        if ('name' in (undefined(name='details') if l_2_details is missing else l_2_details)):
            pass
            t_20.extend((
                ' (',
                escape((undefined(name='first') if l_1_first is missing else l_1_first).name),
                ')',
            ))
        l_1_who = (Markup if context.eval_ctx.autoescape else identity)(concat(t_20))
        l_2_details = missing
        if (((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'review') and (undefined(name='review') if l_1_review is missing else l_1_review)):
            pass
            t_19.append(
                escape((undefined(name='did') if l_0_did is missing else l_0_did)((undefined(name='author') if l_0_author is missing else l_0_author)((undefined(name='first') if l_1_first is missing else l_1_first).author, ), (undefined(name='review') if l_1_review is missing else l_1_review).status, markup_join(('the request of ', (undefined(name='first') if l_1_first is missing else l_1_first).user, ' for ', (undefined(name='what') if l_0_what is missing else l_0_what)(), )), )),
            )
            if (undefined(name='review') if l_1_review is missing else l_1_review).at:
                pass
                t_19.extend((
                    ' at ',
                    escape((undefined(name='review') if l_1_review is missing else l_1_review).at),
                ))
            t_19.append(
                '.',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'ended'):
            pass
            t_19.extend((
                'Your access through ',
                escape((undefined(name='what') if l_0_what is missing else l_0_what)()),
                ' has ended.',
            ))
        elif (undefined(name='for_requester') if l_1_for_requester is missing else l_1_for_requester):
            pass
            t_19.extend((
                'You asked for ',
                escape((undefined(name='what') if l_0_what is missing else l_0_what)()),
                '.',
                escape((undefined(name='decision') if l_0_decision is missing else l_0_decision)()),
            ))
        elif ((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'PENDING'):
            pass
            t_19.extend((
                escape((undefined(name='who') if l_1_who is missing else l_1_who)),
                ' asks for ',
                escape((undefined(name='what') if l_0_what is missing else l_0_what)()),
                '.',
            ))
        else:
            pass
            t_19.extend((
                escape((undefined(name='who') if l_1_who is missing else l_1_who)),
                ' asked for ',
                escape((undefined(name='what') if l_0_what is missing else l_0_what)()),
                '.',
                escape((undefined(name='decision') if l_0_decision is missing else l_0_decision)()),
            ))
        return Markup(concat(t_19))
    context.exported_vars.add('summary')
    context.vars['summary'] = l_0_summary = macro
    yield '\n'
    def macro():
        t_21 = []
        l_1_first = resolve('first')
        pass
        if (undefined(name='first') if l_1_first is missing else l_1_first).resources:
            pass
            if (undefined(name='first') if l_1_first is missing else l_1_first).resources_more:
                pass
                t_21.extend((
                    escape((undefined(name='strong') if l_0_strong is missing else l_0_strong)((undefined(name='count') if l_0_count is missing else l_0_count)((t_2((undefined(name='first') if l_1_first is missing else l_1_first).resources) + (undefined(name='first') if l_1_first is missing else l_1_first).resources_more), 'resource', 'resources', ), )),
                    ': ',
                ))
            l_2_loop = missing
            for l_2_each, l_2_loop in LoopContext((undefined(name='first') if l_1_first is missing else l_1_first).resources, undefined):
                _loop_vars = {}
                pass
                t_21.extend((
                    escape((', ' if (not l_2_loop.first) else cond_expr_undefined("the inline if-expression on line 100 in 'words.jinja' evaluated to false and no else section was defined."))),
                    escape((undefined(name='kinds') if l_0_kinds is missing else l_0_kinds).get(l_2_each.kind, l_2_each.kind, )),
                    ' ',
                    escape((undefined(name='strong') if l_0_strong is missing else l_0_strong)(l_2_each.name, )),
                ))
                if l_2_each.cluster:
                    pass
                    t_21.extend((
                        ' (',
                        escape((undefined(name='labels') if l_0_labels is missing else l_0_labels)['cluster']),
                        ' ',
                        escape(l_2_each.cluster),
                        ')',
                    ))
            l_2_loop = l_2_each = missing
            if (undefined(name='first') if l_1_first is missing else l_1_first).resources_more:
                pass
                t_21.extend((
                    ' ',
                    escape((undefined(name='more') if l_0_more is missing else l_0_more)((undefined(name='first') if l_1_first is missing else l_1_first).resources_more, )),
                ))
            if (undefined(name='first') if l_1_first is missing else l_1_first).roles:
                pass
                t_21.extend((
                    escape((', ' if (undefined(name='first') if l_1_first is missing else l_1_first).resources_more else ' ')),
                    'with ',
                ))
                if (undefined(name='first') if l_1_first is missing else l_1_first).roles.more:
                    pass
                    t_21.append(
                        escape((undefined(name='role_list') if l_0_role_list is missing else l_0_role_list)()),
                    )
                else:
                    pass
                    t_21.extend((
                        'the ',
                        escape(('role' if ((undefined(name='first') if l_1_first is missing else l_1_first).roles.total == 1) else 'roles')),
                        ' ',
                        escape((undefined(name='role_list') if l_0_role_list is missing else l_0_role_list)()),
                    ))
        elif (undefined(name='first') if l_1_first is missing else l_1_first).roles:
            pass
            t_21.append(
                escape((undefined(name='role_list') if l_0_role_list is missing else l_0_role_list)()),
            )
        else:
            pass
            t_21.append(
                'access',
            )
        return Markup(concat(t_21))
    context.exported_vars.add('what')
    context.vars['what'] = l_0_what = macro
    yield '\n'
    def macro():
        t_22 = []
        l_1_first = resolve('first')
        pass
        if (undefined(name='first') if l_1_first is missing else l_1_first).roles.more:
            pass
            t_22.extend((
                escape((undefined(name='strong') if l_0_strong is missing else l_0_strong)((undefined(name='count') if l_0_count is missing else l_0_count)((undefined(name='first') if l_1_first is missing else l_1_first).roles.total, 'role', 'roles', ), )),
                ': ',
                escape((undefined(name='listed') if l_0_listed is missing else l_0_listed)((undefined(name='first') if l_1_first is missing else l_1_first).roles, )),
            ))
        else:
            pass
            l_2_loop = missing
            for l_2_role, l_2_loop in LoopContext((undefined(name='first') if l_1_first is missing else l_1_first).roles.items, undefined):
                _loop_vars = {}
                pass
                t_22.extend((
                    escape((', ' if (not l_2_loop.first) else cond_expr_undefined("the inline if-expression on line 112 in 'words.jinja' evaluated to false and no else section was defined."))),
                    escape((undefined(name='strong') if l_0_strong is missing else l_0_strong)(l_2_role, )),
                ))
            l_2_loop = l_2_role = missing
        return Markup(concat(t_22))
    context.exported_vars.add('role_list')
    context.vars['role_list'] = l_0_role_list = macro
    yield '\n'
    def macro(l_1_text):
        t_23 = []
        if l_1_text is missing:
            l_1_text = undefined("parameter 'text' was not provided", name='text')
        pass
        t_23.extend((
            '<span style="font-weight:700">',
            escape(l_1_text),
            '</span>',
        ))
        return Markup(concat(t_23))
    context.exported_vars.add('strong')
    context.vars['strong'] = l_0_strong = macro
    yield '\n'
    def macro():
        t_24 = []
        l_1_details = resolve('details')
        l_1_first = resolve('first')
        l_1_request = resolve('request')
        pass
        if ('decided_by' in (undefined(name='details') if l_1_details is missing else l_1_details)):
            pass
            t_24.extend((
                ' ',
                escape((undefined(name='did') if l_0_did is missing else l_0_did)((undefined(name='deciders') if l_0_deciders is missing else l_0_deciders)(' and ', (undefined(name='first') if l_1_first is missing else l_1_first).decided_by, ), (undefined(name='request') if l_1_request is missing else l_1_request).status, 'it', )),
                '.',
            ))
        return Markup(concat(t_24))
    context.exported_vars.add('decision')
    context.vars['decision'] = l_0_decision = macro
    yield '\n'
    def macro():
        t_25 = []
        l_1_kind = resolve('kind')
        l_1_told = resolve('told')
        l_1_request = resolve('request')
        pass
        if ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'received'):
            pass
            if (undefined(name='told') if l_1_told is missing else l_1_told):
                pass
                t_25.extend((
                    escape((undefined(name='count') if l_0_count is missing else l_0_count)((undefined(name='told') if l_1_told is missing else l_1_told).total, 'person has', 'people have', )),
                    ' been asked to review it. ',
                ))
            t_25.append(
                'You will hear when it is decided.',
            )
        elif (((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'review') and ((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'PENDING')):
            pass
            if (undefined(name='request') if l_1_request is missing else l_1_request).approvals_missing:
                pass
                t_25.append(
                    escape((undefined(name='missing') if l_0_missing is missing else l_0_missing)()),
                )
        elif (((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'reminder') and (undefined(name='request') if l_1_request is missing else l_1_request).expires):
            pass
            t_25.extend((
                'Without a decision it expires at ',
                escape((undefined(name='request') if l_1_request is missing else l_1_request).expires),
                '.',
            ))
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'escalation'):
            pass
            if (undefined(name='request') if l_1_request is missing else l_1_request).created:
                pass
                t_25.extend((
                    'It has waited since ',
                    escape((undefined(name='request') if l_1_request is missing else l_1_request).created),
                    '.',
                ))
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'requester_approved'):
            pass
            if (((undefined(name='request') if l_1_request is missing else l_1_request).access_from and (not (undefined(name='request') if l_1_request is missing else l_1_request).access_from.past)) and (not (undefined(name='request') if l_1_request is missing else l_1_request).access_from.just_now)):
                pass
                t_25.extend((
                    'Access begins at ',
                    escape((undefined(name='request') if l_1_request is missing else l_1_request).access_from),
                    '. ',
                ))
            t_25.append(
                'Log in again with this request to use it.',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'requester_denied'):
            pass
            t_25.append(
                'You can make a new request, with more about why access is needed.',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'requester_promoted'):
            pass
            t_25.append(
                'Access comes through the access list from now on; no further request is needed.',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'requester_expired'):
            pass
            t_25.append(
                'If access is still needed, please make a new request.',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'ended'):
            pass
            t_25.append(
                'If access is still needed, please make a new request.',
            )
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'expired'):
            pass
            t_25.append(
                'It expired or was deleted. There is nothing left to do.',
            )
        elif (undefined(name='kind') if l_1_kind is missing else l_1_kind).startswith('announced_', ):
            pass
            t_25.extend((
                'It ',
                escape((undefined(name='outcome') if l_0_outcome is missing else l_0_outcome)()),
                ' before it could be announced. There is nothing left to do.',
            ))
        return Markup(concat(t_25))
    context.exported_vars.add('next_step')
    context.vars['next_step'] = l_0_next_step = macro
    yield '\n'
    def macro():
        t_26 = []
        l_1_request = resolve('request')
        pass
        t_26.extend((
            escape(('At least ' if ((t_2((undefined(name='request') if l_1_request is missing else l_1_request).approvals) > 1) or (undefined(name='request') if l_1_request is missing else l_1_request).role_approvals) else cond_expr_undefined("the inline if-expression on line 151 in 'words.jinja' evaluated to false and no else section was defined."))),
            escape((undefined(name='count') if l_0_count is missing else l_0_count)((undefined(name='request') if l_1_request is missing else l_1_request).approvals_missing, 'more approval is', 'more approvals are', )),
            ' needed.',
        ))
        return Markup(concat(t_26))
    context.exported_vars.add('missing')
    context.vars['missing'] = l_0_missing = macro
    yield '\n'
    def macro(l_1_key):
        t_27 = []
        l_1_request = resolve('request')
        l_1_told = resolve('told')
        l_1_silent = resolve('silent')
        if l_1_key is missing:
            l_1_key = undefined("parameter 'key' was not provided", name='key')
        pass
        if (l_1_key == 'name'):
            pass
            t_27.append(
                escape((undefined(name='request') if l_1_request is missing else l_1_request).name),
            )
        elif (l_1_key == 'term'):
            pass
            t_27.append(
                escape((undefined(name='term') if l_0_term is missing else l_0_term)()),
            )
        elif (l_1_key == 'asked'):
            pass
            t_27.append(
                escape((undefined(name='when') if l_0_when is missing else l_0_when)((undefined(name='request') if l_1_request is missing else l_1_request).created, )),
            )
        elif (l_1_key == 'decide_by'):
            pass
            t_27.append(
                escape((undefined(name='when') if l_0_when is missing else l_0_when)((undefined(name='request') if l_1_request is missing else l_1_request).expires, )),
            )
        elif (l_1_key == 'access'):
            pass
            t_27.append(
                escape((undefined(name='access') if l_0_access is missing else l_0_access)()),
            )
        elif (l_1_key == 'access_list'):
            pass
            t_27.append(
                escape((undefined(name='request') if l_1_request is missing else l_1_request).access_list),
            )
        elif (l_1_key == 'approvals'):
            pass
            t_27.append(
                escape((undefined(name='approvals') if l_0_approvals is missing else l_0_approvals)()),
            )
        elif (l_1_key == 'decided_by'):
            pass
            t_27.append(
                escape((undefined(name='deciders') if l_0_deciders is missing else l_0_deciders)()),
            )
        elif (l_1_key == 'told'):
            pass
            t_27.append(
                escape((undefined(name='listed') if l_0_listed is missing else l_0_listed)((undefined(name='told') if l_1_told is missing else l_1_told), )),
            )
        elif (l_1_key == 'silent'):
            pass
            t_27.append(
                escape((undefined(name='listed') if l_0_listed is missing else l_0_listed)((undefined(name='silent') if l_1_silent is missing else l_1_silent), )),
            )
        return Markup(concat(t_27))
    context.exported_vars.add('fact')
    context.vars['fact'] = l_0_fact = macro
    yield '\n'
    def macro():
        t_28 = []
        l_1_request = resolve('request')
        pass
        t_28.append(
            'long-term access',
        )
        if ((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'PENDING'):
            pass
            t_28.append(
                ', which an access list gives: promote the request instead of approving it',
            )
        return Markup(concat(t_28))
    context.exported_vars.add('term')
    context.vars['term'] = l_0_term = macro
    yield '\n'
    def macro(l_1_name):
        t_29 = []
        l_1_automatic_reviewer = resolve('automatic_reviewer')
        if l_1_name is missing:
            l_1_name = undefined("parameter 'name' was not provided", name='name')
        pass
        t_29.append(
            escape(('An automatic review' if (l_1_name == (undefined(name='automatic_reviewer') if l_1_automatic_reviewer is missing else l_1_automatic_reviewer)) else l_1_name)),
        )
        return Markup(concat(t_29))
    context.exported_vars.add('author')
    context.vars['author'] = l_0_author = macro
    yield '\n'
    def macro(l_1_two, l_1_by):
        t_30 = []
        l_1_request = resolve('request')
        if l_1_two is missing:
            l_1_two = ', '
        if l_1_by is missing:
            l_1_by = (undefined(name='request') if l_1_request is missing else l_1_request).decided_by
        pass
        l_2_loop = missing
        for l_2_name, l_2_loop in LoopContext(l_1_by.items, undefined):
            l_2_automatic_reviewer = resolve('automatic_reviewer')
            _loop_vars = {}
            pass
            if l_2_loop.first:
                pass
                t_30.append(
                    escape((undefined(name='author') if l_0_author is missing else l_0_author)(l_2_name, )),
                )
            else:
                pass
                t_30.extend((
                    escape((l_1_two if (l_1_by.total == 2) else ', ')),
                    escape(('an automatic review' if (l_2_name == (undefined(name='automatic_reviewer') if l_2_automatic_reviewer is missing else l_2_automatic_reviewer)) else l_2_name)),
                ))
        l_2_loop = l_2_name = l_2_automatic_reviewer = missing
        if l_1_by.more:
            pass
            t_30.extend((
                ' ',
                escape((undefined(name='more') if l_0_more is missing else l_0_more)(l_1_by.more, )),
            ))
        return Markup(concat(t_30))
    context.exported_vars.add('deciders')
    context.vars['deciders'] = l_0_deciders = environment.macro(macro)
    yield '\n'
    def macro():
        t_31 = []
        l_1_kind = resolve('kind')
        l_1_request = resolve('request')
        pass
        if ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'ended'):
            pass
            t_31.extend((
                'until ',
                escape((undefined(name='when') if l_0_when is missing else l_0_when)((undefined(name='request') if l_1_request is missing else l_1_request).access_until, )),
            ))
        elif ((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'PENDING'):
            pass
            t_31.append(
                'from ',
            )
            if (undefined(name='request') if l_1_request is missing else l_1_request).access_from:
                pass
                t_31.append(
                    escape((undefined(name='request') if l_1_request is missing else l_1_request).access_from),
                )
            else:
                pass
                t_31.append(
                    'approval',
                )
            t_31.extend((
                ' until ',
                escape((undefined(name='request') if l_1_request is missing else l_1_request).access_until),
            ))
            if (undefined(name='request') if l_1_request is missing else l_1_request).access_length:
                pass
                t_31.extend((
                    ' (',
                    escape(('at most ' if (not (undefined(name='request') if l_1_request is missing else l_1_request).access_from) else cond_expr_undefined("the inline if-expression on line 188 in 'words.jinja' evaluated to false and no else section was defined."))),
                    escape((undefined(name='request') if l_1_request is missing else l_1_request).access_length),
                    ')',
                ))
        else:
            pass
            if (undefined(name='request') if l_1_request is missing else l_1_request).access_from:
                pass
                t_31.extend((
                    'from ',
                    escape((undefined(name='request') if l_1_request is missing else l_1_request).access_from),
                    ' ',
                ))
            t_31.extend((
                'until ',
                escape((undefined(name='when') if l_0_when is missing else l_0_when)((undefined(name='request') if l_1_request is missing else l_1_request).access_until, )),
            ))
        return Markup(concat(t_31))
    context.exported_vars.add('access')
    context.vars['access'] = l_0_access = macro
    yield '\n'
    def macro():
        t_32 = []
        l_1_request = resolve('request')
        pass
        if (undefined(name='request') if l_1_request is missing else l_1_request).role_approvals:
            pass
            l_2_loop = missing
            for l_2_each, l_2_loop in LoopContext((undefined(name='request') if l_1_request is missing else l_1_request).role_approvals, undefined):
                _loop_vars = {}
                pass
                t_32.extend((
                    escape((', ' if (not l_2_loop.first) else cond_expr_undefined("the inline if-expression on line 198 in 'words.jinja' evaluated to false and no else section was defined."))),
                    escape(l_2_each.role),
                    ': ',
                ))
                if l_2_each.missing:
                    pass
                    t_32.extend((
                        escape(l_2_each.given),
                        ' of ',
                        escape(l_2_each.needed),
                    ))
                else:
                    pass
                    t_32.append(
                        'enough',
                    )
            l_2_loop = l_2_each = missing
            if (undefined(name='request') if l_1_request is missing else l_1_request).role_approvals_more:
                pass
                t_32.extend((
                    ' and ',
                    escape((undefined(name='request') if l_1_request is missing else l_1_request).role_approvals_more),
                    ' more',
                ))
        else:
            pass
            l_2_loop = missing
            for l_2_way, l_2_loop in LoopContext((undefined(name='request') if l_1_request is missing else l_1_request).approvals, undefined):
                _loop_vars = {}
                pass
                if (not l_2_loop.first):
                    pass
                    t_32.append(
                        '; or ',
                    )
                t_32.extend((
                    escape(l_2_way.needed),
                    ' needed',
                ))
                if (l_2_way.name and (not (l_2_loop.first and l_2_loop.last))):
                    pass
                    t_32.extend((
                        ' (',
                        escape(l_2_way.name),
                        ')',
                    ))
                t_32.extend((
                    ', ',
                    escape((l_2_way.given or 'none')),
                    ' given',
                ))
                if (l_2_way.given and l_2_way.missing):
                    pass
                    t_32.extend((
                        ', ',
                        escape(l_2_way.missing),
                        ' missing',
                    ))
                if (l_2_way.denials_needed > 1):
                    pass
                    t_32.extend((
                        '; ',
                        escape(l_2_way.denials_needed),
                        ' denials refuse it',
                    ))
            l_2_loop = l_2_way = missing
        return Markup(concat(t_32))
    context.exported_vars.add('approvals')
    context.vars['approvals'] = l_0_approvals = macro
    yield '\n'
    def macro(l_1_one):
        t_33 = []
        if l_1_one is missing:
            l_1_one = undefined("parameter 'one' was not provided", name='one')
        pass
        t_33.append(
            escape((undefined(name='did') if l_0_did is missing else l_0_did)((undefined(name='author') if l_0_author is missing else l_0_author)(l_1_one.author, ), l_1_one.status, )),
        )
        if l_1_one.at:
            pass
            t_33.extend((
                ' at ',
                escape(l_1_one.at),
            ))
        return Markup(concat(t_33))
    context.exported_vars.add('reviewed')
    context.vars['reviewed'] = l_0_reviewed = macro
    yield '\n'
    def macro(l_1_number):
        t_34 = []
        if l_1_number is missing:
            l_1_number = undefined("parameter 'number' was not provided", name='number')
        pass
        t_34.append(
            escape((undefined(name='count') if l_0_count is missing else l_0_count)(l_1_number, 'earlier review', 'earlier reviews', )),
        )
        return Markup(concat(t_34))
    context.exported_vars.add('earlier')
    context.vars['earlier'] = l_0_earlier = macro
    yield '\n'
    def macro():
        t_35 = []
        pass
        t_35.append(
            'No reason was given.',
        )
        return Markup(concat(t_35))
    context.exported_vars.add('no_reason')
    context.vars['no_reason'] = l_0_no_reason = macro
    yield '\n'
    def macro():
        t_36 = []
        l_1_request = resolve('request')
        l_1_for_requester = resolve('for_requester')
        pass
        if (((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'PENDING') and (not (undefined(name='for_requester') if l_1_for_requester is missing else l_1_for_requester))):
            pass
            t_36.append(
                'Review the request',
            )
        else:
            pass
            t_36.append(
                'See the request',
            )
        return Markup(concat(t_36))
    context.exported_vars.add('button')
    context.vars['button'] = l_0_button = macro
    yield '\n'
    def macro():
        t_37 = []
        l_1_request = resolve('request')
        l_1_kind = resolve('kind')
        pass
        t_37.append(
            escape(('Not decided yet' if (((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'PENDING') and ((undefined(name='kind') if l_1_kind is missing else l_1_kind) != 'announcement')) else (undefined(name='states') if l_0_states is missing else l_0_states)[(undefined(name='request') if l_1_request is missing else l_1_request).status.name])),
        )
        return Markup(concat(t_37))
    context.exported_vars.add('state')
    context.vars['state'] = l_0_state = macro
    yield '\n'
    def macro():
        t_38 = []
        l_1_first = resolve('first')
        l_1_cluster = resolve('cluster')
        l_1_request = resolve('request')
        pass
        t_38.extend((
            escape((undefined(name='first') if l_1_first is missing else l_1_first).user),
            ' asks for ',
            escape((undefined(name='briefly') if l_0_briefly is missing else l_0_briefly)()),
            ' (',
            escape((undefined(name='cluster') if l_1_cluster is missing else l_1_cluster)),
            ', ...',
            escape((undefined(name='request') if l_1_request is missing else l_1_request).id[-8:]),
            ')',
        ))
        return Markup(concat(t_38))
    context.exported_vars.add('title_line')
    context.vars['title_line'] = l_0_title_line = macro
    yield '\n'
    def macro():
        t_39 = []
        l_1_kind = resolve('kind')
        l_1_review = resolve('review')
        l_1_first = resolve('first')
        l_1_request = resolve('request')
        l_1_for_requester = resolve('for_requester')
        pass
        if (((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'review') and (undefined(name='review') if l_1_review is missing else l_1_review)):
            pass
            t_39.append(
                escape((undefined(name='did') if l_0_did is missing else l_0_did)((undefined(name='author') if l_0_author is missing else l_0_author)((undefined(name='first') if l_1_first is missing else l_1_first).author, ), (undefined(name='review') if l_1_review is missing else l_1_review).status, )),
            )
            if (((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'PENDING') and (undefined(name='request') if l_1_request is missing else l_1_request).approvals_missing):
                pass
                t_39.extend((
                    ', ',
                    escape(('at least ' if ((t_2((undefined(name='request') if l_1_request is missing else l_1_request).approvals) > 1) or (undefined(name='request') if l_1_request is missing else l_1_request).role_approvals) else cond_expr_undefined("the inline if-expression on line 233 in 'words.jinja' evaluated to false and no else section was defined."))),
                    escape((undefined(name='request') if l_1_request is missing else l_1_request).approvals_missing),
                    ' more needed',
                ))
            t_39.extend((
                ' · ',
                escape((undefined(name='asks') if l_0_asks is missing else l_0_asks)()),
            ))
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'reminder'):
            pass
            t_39.extend((
                'Still waiting: ',
                escape((undefined(name='asks') if l_0_asks is missing else l_0_asks)()),
            ))
        elif ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'escalation'):
            pass
            t_39.extend((
                'Undecided: ',
                escape((undefined(name='asks') if l_0_asks is missing else l_0_asks)()),
            ))
        elif (undefined(name='for_requester') if l_1_for_requester is missing else l_1_for_requester):
            pass
            t_39.extend((
                escape(('Received from' if ((undefined(name='kind') if l_1_kind is missing else l_1_kind) == 'received') else markup_join(((undefined(name='states') if l_0_states is missing else l_0_states)[(undefined(name='request') if l_1_request is missing else l_1_request).status.name], ' for', )))),
                ' ',
                escape((undefined(name='first') if l_1_first is missing else l_1_first).user),
                ': ',
                escape((undefined(name='briefly') if l_0_briefly is missing else l_0_briefly)()),
            ))
        elif ((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'PENDING'):
            pass
            t_39.append(
                escape((undefined(name='asks') if l_0_asks is missing else l_0_asks)()),
            )
        else:
            pass
            t_39.extend((
                escape((undefined(name='states') if l_0_states is missing else l_0_states)[(undefined(name='request') if l_1_request is missing else l_1_request).status.name]),
                ': ',
                escape((undefined(name='asks') if l_0_asks is missing else l_0_asks)()),
            ))
        if (((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'PENDING') and (undefined(name='request') if l_1_request is missing else l_1_request).expires):
            pass
            t_39.extend((
                ' · decide by ',
                escape((undefined(name='soon') if l_0_soon is missing else l_0_soon)((undefined(name='request') if l_1_request is missing else l_1_request).expires, )),
            ))
        if (((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'APPROVED') and (undefined(name='request') if l_1_request is missing else l_1_request).access_until):
            pass
            t_39.extend((
                ' · access until ',
                escape((undefined(name='soon') if l_0_soon is missing else l_0_soon)((undefined(name='request') if l_1_request is missing else l_1_request).access_until, )),
            ))
        return Markup(concat(t_39))
    context.exported_vars.add('preheader')
    context.vars['preheader'] = l_0_preheader = macro
    yield '\n'
    def macro():
        t_40 = []
        l_1_first = resolve('first')
        l_1_request = resolve('request')
        pass
        t_40.extend((
            escape((undefined(name='first') if l_1_first is missing else l_1_first).user),
            ' ',
            escape(('asks' if ((undefined(name='request') if l_1_request is missing else l_1_request).status.name == 'PENDING') else 'asked')),
            ' for ',
            escape((undefined(name='briefly') if l_0_briefly is missing else l_0_briefly)()),
        ))
        return Markup(concat(t_40))
    context.exported_vars.add('asks')
    context.vars['asks'] = l_0_asks = macro
    yield '\n'
    def macro():
        t_41 = []
        l_1_request = resolve('request')
        l_1_first = resolve('first')
        pass
        if (undefined(name='request') if l_1_request is missing else l_1_request).roles:
            pass
            t_41.append(
                escape((undefined(name='first') if l_1_first is missing else l_1_first).roles.items[0]),
            )
            if ((undefined(name='request') if l_1_request is missing else l_1_request).roles.total > 1):
                pass
                t_41.extend((
                    ' ',
                    escape((undefined(name='more') if l_0_more is missing else l_0_more)(((undefined(name='request') if l_1_request is missing else l_1_request).roles.total - 1), )),
                ))
        else:
            pass
            t_41.append(
                'access',
            )
        return Markup(concat(t_41))
    context.exported_vars.add('briefly')
    context.vars['briefly'] = l_0_briefly = macro
    yield '\n'
    def macro():
        t_42 = []
        l_1_for_requester = resolve('for_requester')
        l_1_cluster = resolve('cluster')
        pass
        if (undefined(name='for_requester') if l_1_for_requester is missing else l_1_for_requester):
            pass
            t_42.extend((
                'You get this mail because you asked for access in the cluster ',
                escape((undefined(name='cluster') if l_1_cluster is missing else l_1_cluster)),
                '.',
            ))
        else:
            pass
            t_42.extend((
                'You get this mail because you review access requests in the cluster ',
                escape((undefined(name='cluster') if l_1_cluster is missing else l_1_cluster)),
                '.',
            ))
        return Markup(concat(t_42))
    context.exported_vars.add('footer')
    context.vars['footer'] = l_0_footer = macro
    yield '\n'
    l_0_list_labels = {'list': 'Access List', 'due': 'Due', 'members': 'Members', 'grants': 'Grants', 'description': 'Description', 'name': 'Name'}
    context.vars['list_labels'] = l_0_list_labels
    context.exported_vars.add('list_labels')
    yield '\n'
    def macro():
        t_43 = []
        l_1_total = resolve('total')
        l_1_overdue = resolve('overdue')
        pass
        if ((undefined(name='total') if l_1_total is missing else l_1_total) == 1):
            pass
            t_43.extend((
                'Access List review ',
                escape(('overdue' if (undefined(name='overdue') if l_1_overdue is missing else l_1_overdue) else 'due')),
            ))
        else:
            pass
            t_43.extend((
                escape((undefined(name='total') if l_1_total is missing else l_1_total)),
                ' Access List reviews due',
            ))
        return Markup(concat(t_43))
    context.exported_vars.add('list_title')
    context.vars['list_title'] = l_0_list_title = macro
    yield '\n'
    def macro():
        t_44 = []
        l_1_total = resolve('total')
        l_1_ownerless = resolve('ownerless')
        l_1_overdue = resolve('overdue')
        pass
        if ((undefined(name='total') if l_1_total is missing else l_1_total) == 1):
            pass
            t_44.append(
                'A review of an Access List',
            )
            if (not (undefined(name='ownerless') if l_1_ownerless is missing else l_1_ownerless)):
                pass
                t_44.append(
                    ' that you own',
                )
            t_44.extend((
                ' is ',
                escape(('overdue' if (undefined(name='overdue') if l_1_overdue is missing else l_1_overdue) else 'due')),
                ':',
            ))
        else:
            pass
            t_44.extend((
                'Reviews of ',
                escape((undefined(name='total') if l_1_total is missing else l_1_total)),
                ' Access Lists',
            ))
            if (not (undefined(name='ownerless') if l_1_ownerless is missing else l_1_ownerless)):
                pass
                t_44.append(
                    ' that you own',
                )
            t_44.append(
                ' are due',
            )
            if (undefined(name='overdue') if l_1_overdue is missing else l_1_overdue):
                pass
                t_44.extend((
                    ', ',
                    escape((undefined(name='overdue') if l_1_overdue is missing else l_1_overdue)),
                    ' of them overdue',
                ))
            t_44.append(
                ':',
            )
        return Markup(concat(t_44))
    context.exported_vars.add('list_lead')
    context.vars['list_lead'] = l_0_list_lead = macro
    yield '\n'
    def macro():
        t_45 = []
        l_1_total = resolve('total')
        l_1_first = resolve('first')
        l_1_overdue = resolve('overdue')
        l_1_ownerless = resolve('ownerless')
        pass
        if ((undefined(name='total') if l_1_total is missing else l_1_total) == 1):
            pass
            t_45.extend((
                'The members of ',
                escape((undefined(name='strong') if l_0_strong is missing else l_0_strong)((undefined(name='first') if l_1_first is missing else l_1_first).short, )),
                ' ',
                escape(('were' if (undefined(name='overdue') if l_1_overdue is missing else l_1_overdue) else 'are')),
                ' to be reviewed by ',
                escape((undefined(name='first') if l_1_first is missing else l_1_first).due),
                ' (',
                escape((undefined(name='list_days') if l_0_list_days is missing else l_0_list_days)((undefined(name='first') if l_1_first is missing else l_1_first).days, )),
                ').',
            ))
        else:
            pass
            t_45.extend((
                'The members of ',
                escape((undefined(name='total') if l_1_total is missing else l_1_total)),
                ' Access Lists',
            ))
            if (not (undefined(name='ownerless') if l_1_ownerless is missing else l_1_ownerless)):
                pass
                t_45.append(
                    ' that you own',
                )
            t_45.append(
                ' are to be reviewed',
            )
            if (undefined(name='overdue') if l_1_overdue is missing else l_1_overdue):
                pass
                t_45.extend((
                    ', ',
                    escape((undefined(name='strong') if l_0_strong is missing else l_0_strong)(markup_join(((undefined(name='overdue') if l_1_overdue is missing else l_1_overdue), ' overdue', )), )),
                ))
            t_45.extend((
                '. The first ',
                escape(('was' if ((undefined(name='first') if l_1_first is missing else l_1_first).days < 0) else 'is')),
                ' due by ',
                escape((undefined(name='first') if l_1_first is missing else l_1_first).due),
                ' (',
                escape((undefined(name='list_days') if l_0_list_days is missing else l_0_list_days)((undefined(name='first') if l_1_first is missing else l_1_first).days, )),
                ').',
            ))
        return Markup(concat(t_45))
    context.exported_vars.add('list_summary')
    context.vars['list_summary'] = l_0_list_summary = macro
    yield '\n'
    def macro(l_1_days):
        t_46 = []
        if l_1_days is missing:
            l_1_days = undefined("parameter 'days' was not provided", name='days')
        pass
        if (l_1_days == 0):
            pass
            t_46.append(
                'today',
            )
        elif (l_1_days > 0):
            pass
            t_46.extend((
                'in ',
                escape((undefined(name='count') if l_0_count is missing else l_0_count)(l_1_days, 'day', 'days', )),
            ))
        else:
            pass
            t_46.extend((
                escape((undefined(name='count') if l_0_count is missing else l_0_count)((-l_1_days), 'day', 'days', )),
                ' overdue',
            ))
        return Markup(concat(t_46))
    context.exported_vars.add('list_days')
    context.vars['list_days'] = l_0_list_days = macro
    yield '\n'
    def macro(l_1_list):
        t_47 = []
        if l_1_list is missing:
            l_1_list = undefined("parameter 'list' was not provided", name='list')
        pass
        if ((l_1_list.members == 0) and (not l_1_list.member_lists)):
            pass
            t_47.append(
                'none',
            )
        else:
            pass
            if ((not t_4(l_1_list.members)) and (l_1_list.members or (not l_1_list.member_lists))):
                pass
                t_47.append(
                    escape((undefined(name='count') if l_0_count is missing else l_0_count)(l_1_list.members, 'user', 'users', )),
                )
            if (l_1_list.members and l_1_list.member_lists):
                pass
                t_47.append(
                    ', ',
                )
            if l_1_list.member_lists:
                pass
                t_47.append(
                    escape((undefined(name='count') if l_0_count is missing else l_0_count)(l_1_list.member_lists, 'list', 'lists', )),
                )
        return Markup(concat(t_47))
    context.exported_vars.add('list_members')
    context.vars['list_members'] = l_0_list_members = macro
    yield '\n'
    def macro():
        t_48 = []
        pass
        t_48.append(
            'Check whether each member still needs what the list grants. The reminders end when the review is submitted.',
        )
        return Markup(concat(t_48))
    context.exported_vars.add('list_next_step')
    context.vars['list_next_step'] = l_0_list_next_step = macro
    yield '\n'
    def macro(l_1_name):
        t_49 = []
        if l_1_name is missing:
            l_1_name = ''
        pass
        t_49.extend((
            'Review ',
            escape((l_1_name or 'the list')),
        ))
        return Markup(concat(t_49))
    context.exported_vars.add('list_button')
    context.vars['list_button'] = l_0_list_button = environment.macro(macro)
    yield '\n'
    def macro():
        t_50 = []
        pass
        t_50.append(
            'See all Access Lists',
        )
        return Markup(concat(t_50))
    context.exported_vars.add('list_page')
    context.vars['list_page'] = l_0_list_page = macro
    yield '\n'
    def macro():
        t_51 = []
        l_1_total = resolve('total')
        pass
        t_51.extend((
            "In Teleport's web UI, open Access Lists to review ",
            escape(('it' if ((undefined(name='total') if l_1_total is missing else l_1_total) == 1) else 'them')),
            '.',
        ))
        return Markup(concat(t_51))
    context.exported_vars.add('list_no_link')
    context.vars['list_no_link'] = l_0_list_no_link = macro
    yield '\n'
    def macro(l_1_number):
        t_52 = []
        l_1_page = resolve('page')
        if l_1_number is missing:
            l_1_number = undefined("parameter 'number' was not provided", name='number')
        pass
        t_52.extend((
            'and ',
            escape((undefined(name='count') if l_0_count is missing else l_0_count)(l_1_number, 'more list', 'more lists', )),
        ))
        if (undefined(name='page') if l_1_page is missing else l_1_page):
            pass
            t_52.append(
                ', on the page of all Access Lists',
            )
        return Markup(concat(t_52))
    context.exported_vars.add('list_more')
    context.vars['list_more'] = l_0_list_more = macro
    yield '\n'
    def macro():
        t_53 = []
        l_1_overdue = resolve('overdue')
        pass
        t_53.append(
            escape(('Overdue' if (undefined(name='overdue') if l_1_overdue is missing else l_1_overdue) else 'Due')),
        )
        return Markup(concat(t_53))
    context.exported_vars.add('list_state')
    context.vars['list_state'] = l_0_list_state = macro
    yield '\n'
    def macro():
        t_54 = []
        l_1_first = resolve('first')
        l_1_total = resolve('total')
        l_1_overdue = resolve('overdue')
        pass
        t_54.append(
            escape((undefined(name='first') if l_1_first is missing else l_1_first).short),
        )
        if ((undefined(name='total') if l_1_total is missing else l_1_total) > 1):
            pass
            t_54.extend((
                ' ',
                escape((undefined(name='more') if l_0_more is missing else l_0_more)(((undefined(name='total') if l_1_total is missing else l_1_total) - 1), )),
            ))
        t_54.append(
            ' · ',
        )
        if (undefined(name='overdue') if l_1_overdue is missing else l_1_overdue):
            pass
            t_54.append(
                'overdue since',
            )
        else:
            pass
            t_54.append(
                'due by',
            )
        t_54.extend((
            ' ',
            escape((undefined(name='first') if l_1_first is missing else l_1_first).due),
        ))
        return Markup(concat(t_54))
    context.exported_vars.add('list_preheader')
    context.vars['list_preheader'] = l_0_list_preheader = macro
    yield '\n'
    def macro():
        t_55 = []
        pass
        t_55.append(
            'None of its owners can be told by mail.',
        )
        return Markup(concat(t_55))
    context.exported_vars.add('list_ownerless')
    context.vars['list_ownerless'] = l_0_list_ownerless = macro
    yield '\n'
    def macro():
        t_56 = []
        l_1_ownerless = resolve('ownerless')
        l_1_cluster = resolve('cluster')
        l_1_total = resolve('total')
        pass
        if (not (undefined(name='ownerless') if l_1_ownerless is missing else l_1_ownerless)):
            pass
            t_56.extend((
                'You get this mail because you own Access Lists in the cluster ',
                escape((undefined(name='cluster') if l_1_cluster is missing else l_1_cluster)),
                '.',
            ))
        elif ((undefined(name='ownerless') if l_1_ownerless is missing else l_1_ownerless) == (undefined(name='total') if l_1_total is missing else l_1_total)):
            pass
            t_56.extend((
                'You get this mail in place of owners of Access Lists in the cluster ',
                escape((undefined(name='cluster') if l_1_cluster is missing else l_1_cluster)),
                ' who cannot be told by mail.',
            ))
        else:
            pass
            t_56.extend((
                'You get this mail because you own Access Lists in the cluster ',
                escape((undefined(name='cluster') if l_1_cluster is missing else l_1_cluster)),
                ', and in place of owners who cannot be told by mail.',
            ))
        return Markup(concat(t_56))
    context.exported_vars.add('list_footer')
    context.vars['list_footer'] = l_0_list_footer = macro

blocks = {}
debug_info = '2=38&3=41&7=44&13=47&20=50&23=54&26=66&28=88&30=106&32=125&35=139&36=152&37=165&38=178&39=191&42=204&43=214&44=218&48=233&49=239&50=244&51=249&52=254&53=259&54=264&55=269&56=275&57=285&61=291&62=295&63=300&64=309&69=315&70=322&71=327&72=335&73=341&74=346&75=351&76=356&77=361&78=366&79=371&80=378&86=395&87=408&88=419&89=433&90=440&91=448&92=459&97=469&98=473&99=475&100=482&101=501&102=507&103=526&108=540&109=544&110=547&112=554&116=566&118=580&119=586&123=597&124=603&125=605&126=614&127=616&128=621&129=625&130=628&131=630&133=637&134=639&135=649&137=654&139=659&141=664&143=669&145=674&146=678&150=685&151=690&155=698&156=706&157=711&158=716&159=721&160=726&161=731&162=736&163=741&164=746&165=751&169=760&170=767&175=776&177=789&178=798&179=802&181=814&184=824&185=829&186=833&187=835&188=840&191=864&195=879&196=883&197=886&198=890&200=907&202=917&203=920&204=948&209=960&210=966&213=978&215=990&217=1000&218=1005&222=1019&223=1025&227=1031&230=1051&231=1059&232=1062&233=1064&234=1076&235=1082&236=1088&237=1097&238=1105&240=1109&241=1115&244=1125&247=1141&248=1146&251=1166&252=1171&253=1182&258=1189&262=1193&265=1214&266=1220&267=1239&272=1264&273=1271&274=1288&279=1318&280=1323&284=1344&285=1349&287=1356&288=1361&289=1366&293=1375&295=1385&297=1398&299=1408&301=1421&303=1440&305=1451&306=1458&310=1487&312=1497&313=1503&314=1510&315=1521'
